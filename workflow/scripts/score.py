"""Rules score_{method}: score, rank and selection of every prompt."""

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.files.contracts import read_parquet, write_parquet
    from limr.selection.scoring import score_prompts
    from limr.trajectories import Trajectories

    given = dict(snakemake.input.items())
    scores = score_prompts(
        snakemake.params.method,
        snakemake.params.settings,
        Trajectories.read(given["trajectories"]) if "trajectories" in given else None,
        read_parquet(given["prompts"], "prompts") if "prompts" in given else None,
        int(snakemake.wildcards.seed),
        snakemake.params.ungradable,
    )
    write_parquet(scores, snakemake.output.scores, "scores")
