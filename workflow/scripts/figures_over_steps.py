"""Rules figure1a, figure3 and figure4: results on the benchmarks over the training steps."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.report.figures_over_steps import write_figure_over_steps

    write_figure_over_steps(
        evaluations=[Path(path) for path in snakemake.input.evaluations],
        metrics=[Path(path) for path in snakemake.input.metrics],
        methods=snakemake.params.methods,
        all_methods=snakemake.params.all_methods,
        seeds=snakemake.params.seeds,
        titles=snakemake.params.titles,
        confidence=snakemake.params.confidence,
        outputs={kind: Path(path) for kind, path in snakemake.output.items()},
    )
