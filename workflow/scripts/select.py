"""Rule select: the prompts that a method trains on."""

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.files.contracts import read_parquet, write_parquet
    from limr.subsets.subset_of_prompts import subset_of_prompts

    scores = read_parquet(snakemake.input.scores, "scores")
    prompts = read_parquet(snakemake.input.prompts, "prompts")
    write_parquet(subset_of_prompts(scores, prompts), snakemake.output.subset, "subset")
