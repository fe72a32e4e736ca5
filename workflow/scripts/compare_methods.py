"""Rule compare_methods: how similar the selections of the methods would be."""

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.files.contracts import read_parquet
    from limr.report.comparison import compare_scores

    files = dict(snakemake.input.items())
    replicates = [dict(zip(files, of_seed, strict=True)) for of_seed in zip(*files.values(), strict=True)]
    compare_scores(
        [{method: read_parquet(file, "scores") for method, file in of_seed.items()} for of_seed in replicates]
    ).write(snakemake.output.markdown)
