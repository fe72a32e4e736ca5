"""Rule table2: Table 2 as Markdown, CSV and JSON, and the time, memory and cost of its stages."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.report.stage_costs import gpus, response_tokens
    from limr.report.table2 import write_table2
    from limr.report.wall_times import write_wall_times

    methods = snakemake.params.configuration["methods"]
    subsets = [Path(path) for path in snakemake.input.subsets]
    rollouts = [Path(path) for path in snakemake.input.rollouts]
    write_table2(
        [Path(path) for path in snakemake.input.evaluations],
        problems={Path(path).stem: Path(path) for path in snakemake.input.problems},
        prompts=Path(snakemake.input.prompts),
        subsets={method: [path for path in subsets if path.parent.name == method] for method in methods},
        rollouts={method: [path for path in rollouts if path.parent.parent.name == method] for method in methods},
        configuration=snakemake.params.configuration,
        configuration_files=snakemake.params.configuration_files,
        outputs={name: Path(path) for name, path in snakemake.output.items()},
        selected=[Path(path) for path in snakemake.input.selected],
    )
    write_wall_times(
        Path(snakemake.params.benchmarks),
        [Path(path) for path in snakemake.params.benchmark_files],
        Path(snakemake.output.wall_times),
        tokens=response_tokens(
            rollouts, map(Path, snakemake.input.evaluations), map(Path, snakemake.input.get("measured", []))
        ),
        gpus=gpus(snakemake.params.configuration),
    )
