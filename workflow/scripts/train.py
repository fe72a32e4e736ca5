"""Rule train: reinforcement learning on one method's subset."""

from pathlib import Path

from limr.workflow import sole_owner, stage

with stage(snakemake, threads=snakemake.params.settings["threads"]):
    from limr.training import train

    work = Path(snakemake.params.work)
    with sole_owner(work):
        train(
            snakemake.params.settings,
            model=Path(snakemake.input.model),
            subset=Path(snakemake.input.subset),
            development=Path(snakemake.input.development),
            seed=int(snakemake.wildcards.seed),
            work=work,
            outputs={name: Path(path) for name, path in snakemake.output.items()},
        )
