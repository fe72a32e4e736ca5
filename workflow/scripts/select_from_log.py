"""Rule select for a finished run: the prompts of its log that a method selects."""

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.files.contracts import read_parquet, write_parquet
    from limr.subsets.subset_of_log import subset_of_log

    scores = read_parquet(snakemake.input.scores, "scores")
    prompts = read_parquet(snakemake.input.prompts, "log_prompts")
    write_parquet(subset_of_log(scores, prompts), snakemake.output.subset, "log_subset")
