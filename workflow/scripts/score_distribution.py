"""Rule score_distribution: the distribution of the scores."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.report.score_distribution import write_score_distribution

    scores = {name: Path(path) for name, path in snakemake.input.items()}
    write_score_distribution(scores, Path(snakemake.output.figure), snakemake.params.all_methods)
