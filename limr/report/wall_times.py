"""What the stages cost: seconds and memory, from the files that Snakemake's ``benchmark:`` leaves.

They stand apart from Table 2, so that two runs of one configuration give the same table byte for byte.
"""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from limr.errors import LimrError
from limr.files.atomic import write_text

_COLUMNS = ("s", "max_rss")  # seconds; MiB
_UNKNOWN = ["-", "NA"]  # a job too short to be looked at


def write_wall_times(benchmarks: Path, files: Sequence[Path], output: Path) -> None:
    """Write a Markdown table of ``files``, one a stage, each named by its path below the folder ``benchmarks``.

    A file that is not there gives a stage without numbers: a lost time is no reason to run a stage again.

    Raises LimrError naming the file that is not a Snakemake benchmark.
    """
    stages = [_read(file, file.relative_to(benchmarks).with_suffix("").as_posix()) for file in files]
    seconds = sum(stage[1] for stage in stages if stage[1] is not None)
    memory = [stage[2] for stage in stages if stage[2] is not None]
    rows = [*stages, ("**all stages, one after another**", seconds, max(memory, default=None))]
    text = [
        "# Wall times\n",
        "| Stage | Seconds | Peak memory (MiB) |",
        "| ----- | ------: | ----------------: |",
        *(f"| {name} | {_number(spent, '.1f')} | {_number(rss, '.0f')} |" for name, spent, rss in rows),
        "",
        f"Each stage's last run, on {os.cpu_count()} cores ({platform.machine()}). Stages that ran side by side count "
        "one after another; stages that were already made count from when they were. Peak memory is the resident set "
        "of the stage's processes; the last row holds the largest. -: not on record, and not counted.\n",
    ]
    write_text(output, "\n".join(text))


def _number(value: float | None, digits: str) -> str:
    return "-" if value is None else f"{value:,{digits}}"


def _read(file: Path, name: str) -> tuple[str, float | None, float | None]:
    """Name, seconds and peak memory of one benchmark file."""
    if not file.exists():
        return name, None, None
    try:
        frame = pl.read_csv(file, separator="\t", columns=_COLUMNS, null_values=_UNKNOWN).cast(pl.Float64)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise LimrError(f"{file}: not a benchmark file of Snakemake ({str(error).splitlines()[0]})") from error
    if frame.is_empty() or frame["s"].null_count():
        raise LimrError(f"{file}: holds no time; expected a benchmark file of Snakemake")
    return name, frame["s"].sum(), frame["max_rss"].max()
