"""Rule download: the problems of one source, from the hub or a local file."""

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.data.download import download

    download(snakemake.wildcards.source, snakemake.output.problems, next(iter(snakemake.input), None))
