"""Rule prepare_data: the miniature's problems."""

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.training.miniature.problem_files import prepare

    prepare(snakemake.params.data, snakemake.params.benchmarks, dict(snakemake.output.items()))
