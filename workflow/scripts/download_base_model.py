"""Rule download_base_model: a model from the hub or a local folder."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.models.base_model import fetch_base_model

    fetch_base_model(snakemake.params.settings, Path(snakemake.output.model))
