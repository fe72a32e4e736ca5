"""Rule wall_times: what each stage cost."""

from pathlib import Path

from limr.workflow import stage

with stage(snakemake):
    from limr.report.wall_times import write_wall_times

    write_wall_times(Path(snakemake.params.benchmarks), Path(snakemake.output.table))
