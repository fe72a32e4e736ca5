"""Rule table1: the training data of published methods and of this run, as Markdown and CSV."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.report.table1 import write_table1

    write_table1(
        snakemake.params.base_model,
        {method: [Path(path) for path in paths] for method, paths in snakemake.input.items()},
        {name: Path(path) for name, path in snakemake.output.items()},
    )
