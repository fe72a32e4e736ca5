"""Rules score_{method}: every prompt's score, rank and fate."""

from limr.workflow import stage

with stage(snakemake):
    from limr.contracts import read_parquet, write_parquet
    from limr.selection import score_prompts

    read = {name: read_parquet(path, name) for name, path in snakemake.input.items()}
    scores = score_prompts(
        snakemake.params.method,
        snakemake.params.settings,
        read.get("trajectories"),
        read.get("prompts"),
        int(snakemake.wildcards.seed),
        snakemake.params.ungradable,
    )
    write_parquet(scores, snakemake.output.scores, "scores")
