"""Rule select: the prompts that a method trains on."""

from limr.workflow import stage

with stage(snakemake):
    from limr.contracts import read_parquet, write_parquet
    from limr.selection import subset

    scores = read_parquet(snakemake.input.scores, "scores")
    prompts = read_parquet(snakemake.input.prompts, "prompts")
    write_parquet(subset(scores, prompts), snakemake.output.subset, "subset")
