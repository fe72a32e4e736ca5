"""Rule prepare_data: MATH and the benchmarks."""

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.data.math import prepare

    prepare(
        snakemake.params.data,
        dict(snakemake.input.items()),
        snakemake.params.benchmarks,
        dict(snakemake.output.items()),
    )
