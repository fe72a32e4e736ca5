"""Rule choose_learning_rate: the model that is best on the development set."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake, threads=snakemake.params.settings["threads"]):
    from limr.evaluation.learning_rate_sweep import choose_learning_rate

    choose_learning_rate(
        {float(Path(path).name.removeprefix("rate")): Path(path) for path in snakemake.input.models},
        development=Path(snakemake.input.development),
        settings=snakemake.params.settings,
        row=snakemake.wildcards.row,
        seed=int(snakemake.wildcards.seed),
        sweep=Path(snakemake.output.sweep),
        model=Path(snakemake.output.model),
    )
