"""wall_times.md: seconds and memory of the stages, from the files of Snakemake's ``benchmark:``.

They are not part of Table 2, so that two runs of one configuration give the same table byte for byte.
"""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from limr.errors import LimrError, first_line
from limr.files.atomic import write_text
from limr.files.markdown import markdown_rows

_COLUMNS = ("s", "max_rss")  # seconds; MiB
_UNKNOWN = ["-", "NA"]  # Snakemake writes these for a job that ended before it was measured


def write_wall_times(benchmarks: Path, files: Sequence[Path], output: Path) -> None:
    """Write a Markdown table of ``files``, one per stage, each named by its path below the folder ``benchmarks``.

    A missing file gives a row without numbers, because a missing time does not justify running a stage again.

    Raises LimrError with the file that is not a Snakemake benchmark.
    """
    stages = [_read(file, file.relative_to(benchmarks).with_suffix("").as_posix()) for file in files]
    seconds = sum(stage[1] for stage in stages if stage[1] is not None)
    memory = [stage[2] for stage in stages if stage[2] is not None]
    rows = [*stages, ("**all stages, one after another**", seconds, max(memory, default=None))]
    table = markdown_rows(
        ["Stage", "Seconds", "Peak memory (MiB)"],
        [(name, _number(spent, ".1f"), _number(rss, ".0f")) for name, spent, rss in rows],
        aligned=True,
    )
    text = (
        f"Each row is the last run of a stage, on {os.cpu_count()} cores ({platform.machine()}). The last row adds up"
        " the times of all stages, also of stages that ran in parallel or in an earlier run. Peak memory is the"
        " resident set of the stage's processes; the last row has the largest. -: not recorded, and not counted."
    )
    write_text(output, f"# Wall times\n\n{table}\n\n{text}\n")


def _number(value: float | None, digits: str) -> str | None:
    return None if value is None else f"{value:,{digits}}"


def _read(file: Path, name: str) -> tuple[str, float | None, float | None]:
    """Name, seconds and peak memory of one benchmark file."""
    if not file.exists():
        return name, None, None
    try:
        frame = pl.read_csv(file, separator="\t", columns=_COLUMNS, null_values=_UNKNOWN).cast(pl.Float64)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise LimrError(
            f"cannot be read ({first_line(error)})", where=file, expected="a benchmark file of Snakemake"
        ) from error
    if frame.is_empty() or frame["s"].null_count():
        raise LimrError(where=file, found="no time", expected="a benchmark file of Snakemake")
    return name, frame["s"].sum(), frame["max_rss"].max()
