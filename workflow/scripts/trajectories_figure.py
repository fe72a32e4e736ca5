"""Rule figure2b: trajectories of single prompts beside the mean curve."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.report.trajectories_figure import write_trajectories

    write_trajectories(
        Path(snakemake.input.trajectories),
        Path(snakemake.input.scores),
        outputs={kind: Path(path) for kind, path in snakemake.output.items()},
    )
