"""Trajectories from any source: files of this project, One-Shot-RLVR's accuracies, or the log of any framework."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import polars as pl

from limr.errors import LimrError, Setting
from limr.files.contracts import UNREADABLE, columns
from limr.files.input_paths import refuse_special
from limr.logs.audit_page import Audit
from limr.logs.leaving_out import BY_NAME, is_named, not_read, refuse_unlisted, without_named
from limr.logs.log import RESTORE, LogOptions, Prompt
from limr.logs.log_audit import audit_log, audit_trajectories
from limr.logs.log_files import log_files
from limr.logs.one_shot_rlvr import read_one_shot_rlvr
from limr.logs.own_rollouts import from_rollouts, shards_in
from limr.logs.recognise import holds_rollouts
from limr.logs.visits import number_visits, trajectories_of_log
from limr.logs.whole import read_log
from limr.trajectories.curves import Trajectories

# A table with visits is this project's, even if another column is missing: other readers would number visits anew.
_ROLLOUTS = {"prompt_id", "visit"}


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
    own = None if options.format else _own_format(path, options.leave_out)
    if own is None:
        log = read_log(path, options)
        numbered = number_visits(log, options.samples, options.steps_per_epoch)
        trajectories = _first_visits(path, trajectories_of_log(log, numbered), visits)
        return Extracted(trajectories, audit_log(path, log, numbered, trajectories), log.prompts)
    if replace(options, leave_out=()) != LogOptions():
        raise LimrError(
            "the visits of this source are already numbered, so the options for logs have no effect",
            where=path,
            advice=["Leave out ", Setting("samples"), ", ", Setting("steps_per_epoch"), " and the names of columns."],
        )
    form, read = own
    _, named = without_named(path, log_files(path), options.leave_out)
    files = shards_in(path, options.leave_out) if path.is_dir() else [path]
    if path.is_dir():
        _refuse_other_rollouts(path, files, options)
    trajectories = _first_visits(path, read(path), visits)
    left_out = {str(file): BY_NAME for file in named}
    return Extracted(trajectories, audit_trajectories(path, form, len(files), trajectories, left_out), None)


def read_probe(rollouts: Path, samples: int | None = None) -> Extracted:
    """The trajectories of a folder of this project's rollouts; with ``samples``, of the first so many of each visit.

    Raises ContractError as ``from_rollouts`` does.
    """
    trajectories = from_rollouts(rollouts, samples=samples)
    audit = audit_trajectories(rollouts, "rollouts of this project", len(shards_in(rollouts, ())), trajectories)
    return Extracted(trajectories, audit, None)


def _own_format(path: Path, leave_out: Sequence[str]) -> tuple[str, Callable[[Path], Trajectories]] | None:
    """The name and the reader of a source with numbered visits; None for a log."""
    if path.is_dir():
        shards = shards_in(path, leave_out)
        read = partial(from_rollouts, leave_out=leave_out)
        # the first shard may lack a column, which is an error that `read` reports
        own = any(_has(shard, _ROLLOUTS) for shard in {*shards[:1], *shards[-1:]})
        return ("rollouts of this project", read) if own else None
    if path.suffix == ".parquet" and _has(path, set(columns("trajectories"))):
        return "trajectories of this project", Trajectories.read
    if path.suffix == ".parquet" and _has(path, _ROLLOUTS):
        return "rollouts of this project", from_rollouts
    if path.suffix == ".json" and _is_one_shot_rlvr(path):
        return "accuracies of One-Shot-RLVR", read_one_shot_rlvr
    return None


def _refuse_other_rollouts(folder: Path, shards: Sequence[Path], options: LogOptions) -> None:
    """Raise LimrError for a file in or below ``folder`` that holds rollouts as well, but is none of its ``shards``."""
    listed = log_files(folder)
    refuse_unlisted(folder, listed, shards, options.leave_out)
    for file in set(listed) - set(shards):
        if not is_named(file, folder, options.leave_out) and holds_rollouts(file, options):
            raise not_read(file, folder, "it holds rollouts, but only the Parquet files in the folder itself are read")


def _has(file: Path, wanted: set[str]) -> bool:
    """Whether the Parquet file has these columns; the readers of logs report a file that cannot be read."""
    try:
        return file.is_file() and wanted <= set(pl.read_parquet_schema(file))
    except UNREADABLE:
        return False


def _is_one_shot_rlvr(file: Path) -> bool:
    """Whether the file begins like an object of lists of numbers: {"7": [0.5, ..."""
    try:
        with file.open("rb") as stream:
            start = stream.read(1000)
    except OSError:
        return False
    return re.match(rb'(?:\xef\xbb\xbf)?\s*\{\s*"[^"]*"\s*:\s*\[\s*[-0-9.\]]', start) is not None


def _first_visits(path: Path, trajectories: Trajectories, visits: int | None) -> Trajectories:
    if not len(trajectories):
        raise LimrError(where=path, found="no visits", expected="the trajectories of a run", advice=RESTORE)
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
