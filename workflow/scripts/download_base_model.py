"""Rule download_base_model: planned with the engines that need it; the workflow refuses to run it."""

from limr.workflow import stage

with stage(snakemake):
    from limr.errors import LimrError

    raise LimrError(snakemake.params.unbuilt)
