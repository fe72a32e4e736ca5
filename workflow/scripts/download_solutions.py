"""Rule download_solutions: published solutions by a stronger model, and their audit."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.data.distilled import download_solutions

    download_solutions(
        snakemake.params.settings,
        benchmarks={Path(path).stem: Path(path) for path in snakemake.input.benchmarks},
        outputs={name: Path(path) for name, path in snakemake.output.items()},
    )
