"""Rules extract_{measure}: the trajectories of a part of the probe, or of its checkpoints, and their audit."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.files.contracts import write_parquet
    from limr.logs.source import read_probe

    source = read_probe(Path(snakemake.input.rollouts), snakemake.params.samples)
    trajectories = Path(snakemake.output.trajectories)
    write_parquet(source.trajectories.frame(), trajectories, "trajectories")
    source.audit.write(trajectories.with_suffix(""))
