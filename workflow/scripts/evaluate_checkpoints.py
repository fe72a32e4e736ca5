"""Rule evaluate_checkpoints: the results of one run's checkpoints on the benchmarks."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake, threads=snakemake.params.settings["threads"]):
    from limr.evaluation.evaluated_steps import evaluate_checkpoints

    evaluate_checkpoints(
        Path(snakemake.params.checkpoints),
        training=snakemake.params.training,
        benchmarks={Path(path).stem: Path(path) for path in snakemake.input.benchmarks},
        benchmark_settings=snakemake.params.benchmarks,
        settings=snakemake.params.settings,
        method=snakemake.wildcards.method,
        seed=int(snakemake.wildcards.seed),
        base=[Path(path) for path in snakemake.input.base],
        trained=[Path(path) for path in snakemake.input.trained],
        output=Path(snakemake.output.steps),
    )
