"""One door for everything that holds trajectories: this project's files, One-Shot-RLVR's, any framework's log."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from limr.errors import LimrError
from limr.files.contracts import columns
from limr.logs.log import LogOptions, Prompt
from limr.logs.log_audit import Audit, audit_log, audit_trajectories
from limr.logs.one_shot_rlvr import read_one_shot_rlvr
from limr.logs.own_rollouts import from_rollouts
from limr.logs.visits import number_visits, trajectories_of_log
from limr.logs.whole import read_log
from limr.trajectories.curves import Trajectories

_ROLLOUTS = {"prompt_id", "visit", "sample", "reward", "correct"}


@dataclass(frozen=True, eq=False)
class Extracted:
    """What a source came to; ``prompts`` are those of a log, None where the source has ids alone."""

    trajectories: Trajectories
    audit: Audit
    prompts: list[Prompt] | None


def read_source(path: str | Path, options: LogOptions | None = None, visits: int | None = None) -> Extracted:
    """Trajectories from ``path``, and what was found on the way.

    ``path`` is a Parquet file of contract ``trajectories``, One-Shot-RLVR's JSON of accuracies, a folder of this
    project's rollouts (or one shard of them), or another framework's log (see ``limr.logs``), for which alone
    ``options`` are. ``visits`` cuts every prompt to its first visits.

    Raises LimrError naming file and place for what is wrong with it, and where no prompt has so many visits.
    """
    path, options = Path(path), options or LogOptions()
    read = None if options.format else _reader(path)
    if read is None:
        log = read_log(path, options)
        numbered = number_visits(log, options.samples, options.steps_per_epoch)
        trajectories = _first_visits(path, trajectories_of_log(log, numbered), visits)
        return Extracted(trajectories, audit_log(path, log, numbered, trajectories), log.prompts)
    if options != LogOptions():
        raise LimrError(
            f"{path}: says itself what its visits are; options of other frameworks' logs (samples, steps_per_epoch,"
            " columns) have nothing to say here: leave them out"
        )
    form, function = read
    files = len(list(path.glob("*.parquet"))) if path.is_dir() else 1
    trajectories = _first_visits(path, function(path), visits)
    return Extracted(trajectories, audit_trajectories(path, form, files, trajectories), None)


def _reader(path: Path) -> tuple[str, Callable[[Path], Trajectories]] | None:
    """What reads ``path``, with a name for it, where it is not a log; None where it is."""
    if path.is_dir():
        shard = min(path.glob("*.parquet"), default=None)
        return ("rollouts of this project", from_rollouts) if shard and _has(shard, _ROLLOUTS) else None
    if path.suffix == ".parquet" and _has(path, set(columns("trajectories"))):
        return "trajectories of this project", Trajectories.read
    if path.suffix == ".parquet" and _has(path, _ROLLOUTS):
        return "rollouts of this project", from_rollouts
    if path.suffix == ".json" and _is_one_shot(path):
        return "accuracies of One-Shot-RLVR", read_one_shot_rlvr
    return None


def _has(file: Path, wanted: set[str]) -> bool:
    try:
        return wanted <= set(pl.read_parquet_schema(file))
    except (pl.exceptions.PolarsError, OSError):
        return False  # the readers of logs say what is wrong with it


def _is_one_shot(file: Path) -> bool:
    """Whether it is an object of lists: {"7": [0.5, ..."""
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
        raise LimrError(f"visits: found {visits}, expected at least 1")
    longest = int(trajectories.epoch.max(initial=-1)) + 1
    if longest < visits:
        raise LimrError(f"{path}: no prompt has {visits} visits, the longest has {longest}: lower `visits`")
    return trajectories.before(visits)
