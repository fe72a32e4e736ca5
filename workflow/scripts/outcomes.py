"""Rule outcomes: what every method achieves and costs, as Markdown and CSV."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.report.outcomes_page import write_outcomes

    write_outcomes(
        [Path(path) for path in snakemake.input.evaluations],
        runs=[Path(path).parent for path in snakemake.input.metrics],
        configuration=snakemake.params.configuration,
        outputs={name: Path(path) for name, path in snakemake.output.items()},
        measured=[Path(path).parent for path in snakemake.input.get("measured", [])],
    )
