"""wall_times.md: seconds, memory, tokens and hours of the stages, from the files of Snakemake's ``benchmark:``.

They are not part of Table 2, so that two runs of one configuration give the same table byte for byte.
"""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from limr.errors import LimrError, first_line
from limr.files.atomic import write_text
from limr.files.markdown import markdown_rows

_COLUMNS = {"seconds": "s", "memory": "max_rss", "cpu_seconds": "cpu_time"}  # memory in MiB
_UNKNOWN = ["-", "NA"]  # Snakemake writes these for a job that ended before it was measured
_HOUR = 3600


@dataclass(frozen=True)
class _Stage:
    """One stage; None for what is not known, and ``gpus`` is 0 for a stage without GPUs."""

    name: str
    seconds: float | None = None
    memory: float | None = None
    cpu_seconds: float | None = None
    tokens: int | None = None
    gpus: int = 0


def write_wall_times(
    benchmarks: Path,
    files: Sequence[Path],
    output: Path,
    tokens: Mapping[str, int] | None = None,
    gpus: Mapping[str, int] | None = None,
) -> None:
    """Write a Markdown table of ``files``, one per stage, each named by its path below the folder ``benchmarks``.

    A missing file gives a row without numbers, because a missing time does not justify running a stage again.
    ``tokens``: stage -> its response tokens. ``gpus``: first part of a stage's name -> the GPUs that it holds.

    Raises LimrError with the file that is not a Snakemake benchmark.
    """
    names = [file.relative_to(benchmarks).with_suffix("").as_posix() for file in files]
    stages = [
        _Stage(name, **_read(file), tokens=(tokens or {}).get(name), gpus=(gpus or {}).get(name.partition("/")[0], 0))
        for name, file in zip(names, files, strict=True)
    ]
    header = ["Stage", "Seconds", "Peak memory (MiB)", "Response tokens", "CPU hours"]
    rows = [*map(_row, stages), _all_stages(stages)]
    if gpus:
        header.append("GPU hours")
    table = markdown_rows(header, [row[: len(header)] for row in rows], aligned=True)
    text = (
        f"Each row is the last run of a stage of Table 2, on {os.cpu_count()} cores ({platform.machine()}). The last"
        " row adds up the times of all stages, also of stages that ran in parallel or in an earlier run. Peak memory is"
        " the resident set of the stage's processes; the last row has the largest. Response tokens are those of a"
        " training run's rollouts, or of an evaluation; prompts are not counted. CPU hours are the CPU time of the"
        f" stage's processes, as Snakemake sampled it.{_GPU_HOURS if gpus else ''} -: not recorded, and not counted."
    )
    write_text(output, f"# Wall times, tokens and cost\n\n{table}\n\n{text}\n")


_GPU_HOURS = " GPU hours are the GPUs that the stage held, times its wall time; idle ones count."


def _row(stage: _Stage) -> list[str | None]:
    cells = [_number(stage.seconds, ".1f"), _number(stage.memory, ".0f"), _number(stage.tokens, "d")]
    return [stage.name, *cells, _hours(stage.cpu_seconds), _hours(_gpu_seconds(stage))]


def _all_stages(stages: Sequence[_Stage]) -> list[str | None]:
    def known(values: Sequence[float | None]) -> list[float]:
        return [value for value in values if value is not None]

    memory, cpu = known([stage.memory for stage in stages]), known([stage.cpu_seconds for stage in stages])
    tokens, on_gpus = known([stage.tokens for stage in stages]), known([_gpu_seconds(stage) for stage in stages])
    return [
        "**all stages, one after another**",
        _number(sum(known([stage.seconds for stage in stages])), ".1f"),
        _number(max(memory, default=None), ".0f"),
        _number(sum(tokens) if tokens else None, "d"),
        _hours(sum(cpu) if cpu else None),
        _hours(sum(on_gpus) if on_gpus else None),
    ]


def _gpu_seconds(stage: _Stage) -> float | None:
    return stage.seconds * stage.gpus if stage.seconds is not None and stage.gpus else None


def _hours(seconds: float | None) -> str | None:
    return _number(None if seconds is None else seconds / _HOUR, ".3f")


def _number(value: float | None, digits: str) -> str | None:
    return None if value is None else f"{value:,{digits}}"


def _read(file: Path) -> dict[str, float | None]:
    """Seconds, peak memory and CPU seconds of one benchmark file."""
    if not file.exists():
        return {}
    try:
        frame = pl.read_csv(file, separator="\t", infer_schema=False, null_values=_UNKNOWN)
        found = {name: column for name, column in _COLUMNS.items() if column in frame.columns or name != "cpu_seconds"}
        frame = frame.select(pl.col(column).cast(pl.Float64).alias(name) for name, column in found.items())
    except (pl.exceptions.PolarsError, OSError) as error:
        raise LimrError(
            f"cannot be read ({first_line(error)})", where=file, expected="a benchmark file of Snakemake"
        ) from error
    if frame.is_empty() or frame["seconds"].null_count():
        raise LimrError(where=file, found="no time", expected="a benchmark file of Snakemake")
    numbers = {"seconds": frame["seconds"].sum(), "memory": frame["memory"].max()}
    # older files have no CPU time; a sum that misses a run would be too small
    known = "cpu_seconds" in frame.columns and not frame["cpu_seconds"].null_count()
    return numbers | ({"cpu_seconds": frame["cpu_seconds"].sum()} if known else {})
