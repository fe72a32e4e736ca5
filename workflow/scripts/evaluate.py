"""Rule evaluate: one model's answers to the benchmarks."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake, threads=snakemake.params.settings["threads"]):
    from limr.evaluation import evaluate

    outputs = {name: Path(path) for name, path in snakemake.output.items()}
    evaluate(
        Path(snakemake.input.model),
        benchmarks=dict(zip(outputs, map(Path, snakemake.input.benchmarks), strict=True)),
        benchmark_settings=snakemake.params.benchmarks,
        settings=snakemake.params.settings,
        method=snakemake.wildcards.method,
        seed=int(snakemake.wildcards.seed),
        outputs=outputs,
    )
