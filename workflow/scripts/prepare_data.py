"""Rule prepare_data: the miniature's problems."""

from limr.workflow import stage

with stage(snakemake):
    from limr.miniature.problems import prepare

    prepare(snakemake.params.data, snakemake.params.benchmarks, dict(snakemake.output.items()))
