"""Rule selection_summary: what each method selected."""

from limr.workflow import stage

with stage(snakemake):
    from limr.selection.summary import write_summary

    write_summary(list(snakemake.input.scores), list(snakemake.input.trajectories), snakemake.output.summary)
