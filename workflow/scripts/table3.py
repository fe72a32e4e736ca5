"""Rule table3: supervised fine-tuning beside reinforcement learning."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.report.table3 import write_table3

    seeds, methods = snakemake.params.configuration["seeds"], snakemake.params.methods
    rows = snakemake.params.configuration["supervised"]

    def by_name(paths, names):
        """Name -> its files, one per seed; ``paths`` has them in this order."""
        files = iter(map(Path, paths))
        return {name: [next(files) for _ in seeds] for name in names}

    write_table3(
        [Path(path) for path in snakemake.input.evaluations],
        prompts=Path(snakemake.input.prompts),
        subsets=by_name(snakemake.input.subsets, methods),
        rollouts=by_name(snakemake.input.rollouts, methods),
        solutions={row: [Path(path) for path in paths] for row, paths in snakemake.params.solutions.items()},
        sweeps=by_name(snakemake.input.sweeps, rows),
        configuration=snakemake.params.configuration,
        configuration_files=snakemake.params.configuration_files,
        outputs={name: Path(path) for name, path in snakemake.output.items()},
    )
