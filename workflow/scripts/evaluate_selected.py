"""Rule evaluate_selected: the results of the checkpoint of one run that is best on the development set."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake, threads=snakemake.params.settings["threads"]):
    from limr.evaluation.selected_checkpoint import evaluate_selected

    evaluate_selected(
        Path(snakemake.params.checkpoints),
        training=snakemake.params.training,
        benchmarks={Path(path).stem: Path(path) for path in snakemake.input.benchmarks},
        benchmark_settings=snakemake.params.benchmarks,
        settings=snakemake.params.settings,
        method=snakemake.wildcards.method,
        seed=int(snakemake.wildcards.seed),
        metrics=Path(snakemake.input.metrics),
        development=Path(snakemake.input.development),
        trained=[Path(path) for path in snakemake.input.trained],
        output=Path(snakemake.output.steps),
    )
