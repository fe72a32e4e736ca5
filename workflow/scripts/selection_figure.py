"""Rule selection_figure: trajectories, scores and the size of the subset."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.report.selection_figure import write_selection_figure

    given = snakemake.input
    write_selection_figure(
        Path(given.trajectories), Path(given.scores), Path(snakemake.output.figure), snakemake.params.signal
    )
