"""Rule train: reinforcement learning on one method's subset."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake, threads=snakemake.params.settings.get("threads", 1)):
    from limr.training import train

    train(
        snakemake.params.settings,
        model=Path(snakemake.input.model),
        subset=Path(snakemake.input.subset),
        development=Path(snakemake.input.development),
        seed=int(snakemake.wildcards.seed),
        work=Path(snakemake.params.work),
        outputs={name: Path(path) for name, path in snakemake.output.items()},
    )
