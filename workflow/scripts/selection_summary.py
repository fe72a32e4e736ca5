"""Rule selection_summary: a summary of each method's selection."""

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.report.selection_summary import write_summary

    write_summary(
        list(snakemake.input.scores),
        list(snakemake.input.trajectories),
        snakemake.output.summary,
        next(iter(snakemake.input.broken_golds), None),
    )
