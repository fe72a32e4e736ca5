"""Trajectories from any source: files of this project, One-Shot-RLVR's accuracies, or the log of any framework."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from limr.errors import LimrError, Setting
from limr.files.contracts import columns
from limr.files.input_paths import refuse_special
from limr.logs.audit_page import Audit
from limr.logs.log import LogOptions, Prompt
from limr.logs.log_audit import audit_log, audit_trajectories
from limr.logs.one_shot_rlvr import read_one_shot_rlvr
from limr.logs.own_rollouts import from_rollouts
from limr.logs.visits import number_visits, trajectories_of_log
from limr.logs.whole import read_log
from limr.trajectories.curves import Trajectories

_ROLLOUTS = {"prompt_id", "visit", "sample", "reward", "correct"}


@dataclass(frozen=True, eq=False)
class Extracted:
    """The trajectories of a source, their audit, and the prompts of a log (None where the source has only ids)."""

    trajectories: Trajectories
    audit: Audit
    prompts: list[Prompt] | None


def read_source(path: str | Path, options: LogOptions | None = None, visits: int | None = None) -> Extracted:
    """Read the trajectories of ``path`` and audit them.

    ``path`` is a Parquet file of contract ``trajectories``, One-Shot-RLVR's JSON of accuracies, a folder of this
    project's rollouts (or one shard of them), or another framework's log (see ``limr.logs``). ``options`` are for logs
    only. ``visits`` cuts every prompt to its first visits.

    Raises LimrError, naming file and place, where the source is invalid and where no prompt has that many visits.
    """
    path, options = Path(path), options or LogOptions()
    refuse_special(path)
    own = None if options.format else _own_format(path)
    if own is None:
        log = read_log(path, options)
        numbered = number_visits(log, options.samples, options.steps_per_epoch)
        trajectories = _first_visits(path, trajectories_of_log(log, numbered), visits)
        return Extracted(trajectories, audit_log(path, log, numbered, trajectories), log.prompts)
    if options != LogOptions():
        raise LimrError(
            "the visits of this source are already numbered, so the options for logs have no effect",
            where=path,
            advice=["Leave out ", Setting("samples"), ", ", Setting("steps_per_epoch"), " and the names of columns."],
        )
    form, read = own
    files = len(list(path.glob("*.parquet"))) if path.is_dir() else 1
    trajectories = _first_visits(path, read(path), visits)
    return Extracted(trajectories, audit_trajectories(path, form, files, trajectories), None)


def _own_format(path: Path) -> tuple[str, Callable[[Path], Trajectories]] | None:
    """The name and the reader of a source with numbered visits; None for a log."""
    if path.is_dir():
        shard = min(path.glob("*.parquet"), default=None)
        return ("rollouts of this project", from_rollouts) if shard and _has(shard, _ROLLOUTS) else None
    if path.suffix == ".parquet" and _has(path, set(columns("trajectories"))):
        return "trajectories of this project", Trajectories.read
    if path.suffix == ".parquet" and _has(path, _ROLLOUTS):
        return "rollouts of this project", from_rollouts
    if path.suffix == ".json" and _is_one_shot_rlvr(path):
        return "accuracies of One-Shot-RLVR", read_one_shot_rlvr
    return None


def _has(file: Path, wanted: set[str]) -> bool:
    """Whether the Parquet file has these columns; the readers of logs report a file that cannot be read."""
    try:
        return file.is_file() and wanted <= set(pl.read_parquet_schema(file))
    except (pl.exceptions.PolarsError, OSError):
        return False


def _is_one_shot_rlvr(file: Path) -> bool:
    """Whether the file begins like an object of lists of numbers: {"7": [0.5, ..."""
    try:
        with file.open("rb") as stream:
            start = stream.read(1000)
    except OSError:
        return False
    return re.match(rb'\s*\{\s*"[^"]*"\s*:\s*\[\s*[-0-9.\]]', start) is not None


def _first_visits(path: Path, trajectories: Trajectories, visits: int | None) -> Trajectories:
    if visits is None:
        return trajectories
    if visits < 1:
        raise LimrError(where="visits", found=str(visits), expected="at least 1")
    longest = int(trajectories.epoch.max(initial=-1)) + 1
    if longest < visits:
        raise LimrError(
            f"no prompt has {visits} visits, the longest curve has {longest}",
            where=path,
            advice=["Lower ", Setting("visits"), "."],
        )
    return trajectories.before(visits)
