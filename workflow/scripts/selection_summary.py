"""Rule selection_summary: what each method selected."""

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.report.selection_summary import write_summary

    write_summary(list(snakemake.input.scores), list(snakemake.input.trajectories), snakemake.output.summary)
