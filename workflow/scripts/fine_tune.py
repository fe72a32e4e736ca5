"""Rule fine_tune: supervised fine-tuning of the base model with one learning rate."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake, threads=snakemake.params.settings.get("threads", 1)):
    from limr.training.supervised import fine_tune

    rate = {"learning_rate": float(snakemake.wildcards.rate)}
    fine_tune(
        snakemake.params.engine,
        snakemake.params.settings | snakemake.params.system_prompt | rate,
        model=Path(snakemake.input.model),
        solutions=Path(snakemake.input.solutions),
        seed=int(snakemake.wildcards.seed),
        work=Path(snakemake.params.work),
        output=Path(snakemake.output.model),
    )
