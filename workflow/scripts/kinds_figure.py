"""Rule figure2a: trajectories by kind of prompt."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.report.kinds_figure import write_kinds_figure

    write_kinds_figure(
        [Path(path) for path in snakemake.input.trajectories],
        seeds=snakemake.params.seeds,
        confidence=snakemake.params.confidence,
        outputs={kind: Path(path) for kind, path in snakemake.output.items()},
    )
