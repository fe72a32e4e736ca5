"""Rule figure1b: the average accuracy of each method beside its number of questions."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.report.accuracy_bars import write_accuracy_bars

    write_accuracy_bars(
        Path(snakemake.input.table2), outputs={kind: Path(path) for kind, path in snakemake.output.items()}
    )
