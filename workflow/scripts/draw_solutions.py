"""Rule draw_solutions: worked solutions of fresh problems of the miniature."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.training.miniature.worked_solutions import write_solutions

    write_solutions(
        snakemake.params.settings,
        snakemake.params.data,
        others=[Path(path) for path in snakemake.input.others],
        seed=int(snakemake.wildcards.seed),
        output=Path(snakemake.output.solutions),
    )
