"""Rule report_page: all tables and figures of the run on one page, as Markdown and as one HTML file."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.report.report_page import write_report

    write_report(
        [Path(path) for path in snakemake.input.pages],
        table2=Path(snakemake.input.table2),
        captions=snakemake.params.captions,
        markdown=Path(snakemake.output.markdown),
        html=Path(snakemake.output.html),
    )
