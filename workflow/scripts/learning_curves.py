"""Rule learning_curves: reward and held-out accuracy over the training steps."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.report.learning_curves import write_learning_curves

    metrics = {method: [Path(path) for path in paths] for method, paths in snakemake.input.items()}
    write_learning_curves(metrics, Path(snakemake.output.figure))
