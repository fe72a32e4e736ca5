"""Rule measure_checkpoints: rollouts of all prompts from the checkpoints of the probe."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake, threads=snakemake.params.settings["threads"]):
    from limr.training.miniature.measured_checkpoints import measure_checkpoints

    measure_checkpoints(
        snakemake.params.settings,
        checkpoints=Path(snakemake.params.checkpoints),
        prompts=Path(snakemake.input.prompts),
        seed=int(snakemake.wildcards.seed),
        output=Path(snakemake.output.rollouts),
    )
