"""Rule pretrain_base_model: the miniature's base model."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake, threads=snakemake.params.settings["threads"]):
    from limr.training.miniature.pretrain import pretrain

    pretrain(snakemake.params.settings, list(map(Path, snakemake.input.held_out)), Path(snakemake.output.model))
