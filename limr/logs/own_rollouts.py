"""Turns this project's rollouts into trajectories, in one pass over any number of them.

This module exists for speed and memory: a run may leave more than a hundred million rollouts. Polars streams them in
batches, and only the sums of each visit are kept (``visit_sums.py``). ``tests/benchmarks/benchmark_trajectories.py``
measures it against a bare Polars scan of the same columns.

The pass checks whole batches: it detects an invalid rollout, but not which one it is. Only then a second, slower pass
looks for the rollout to name in the error.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from limr.errors import ContractError, Setting, counted, first_line
from limr.files.contracts import UNREADABLE, columns, unreadable
from limr.logs import leaving_out
from limr.logs.prompt_index import PromptIndex
from limr.logs.visit_sums import Sums, VisitSums, distinct, sums_of_runs
from limr.trajectories.curves import Trajectories

logger = logging.getLogger(__name__)

_READ = ["prompt_id", "visit", "sample", "reward", "correct"]
_KEYS = ["prompt_id", "visit", "sample"]
_NEVER_NULL = [*_KEYS, "reward"]

_AS_TABLE = [
    "If it is a table whose visits are to be numbered anew, give its format: ",
    Setting("format", "table"),
    ".",
]

_ROLLOUTS_A_SEARCH = 4_000_000  # the search for duplicate rollouts reads this many at a time


class _CheckFailedError(Exception):
    """A check of a whole batch has failed; ``_invalid_rollout`` finds the rollout."""


def from_rollouts(rollouts: str | Path, leave_out: Sequence[str] = (), samples: int | None = None) -> Trajectories:
    """Average the rollouts of every visit.

    ``rollouts`` is a directory of Parquet shards (contract ``rollouts``) or one shard, with rows in any order.
    ``leave_out`` names shards that are not read. With ``samples``, only the first so many samples of a visit count.

    Rows are streamed: only visits are held in memory, never responses. Every visit is kept; ``visit_matrix`` decides
    which of them count. An accuracy is NaN where ``correct`` is null for any of the visit's rollouts.

    The order of shards and rows can change only the last bits of a mean, and only for rewards that are not sums of
    powers of two (0.1, say). The paper's rewards of 1, -0.5 and -1 are exact.

    Raises ContractError when a shard is truncated or breaks the contract, when a rollout occurs twice, and when a
    reward is not a finite number; the error names the shard. Also raises it when there are no rollouts.
    """
    shards = _shards(Path(rollouts), leave_out)
    rows = pl.scan_parquet(shards, include_file_paths="shard", hive_partitioning=False, glob=False)
    if samples is not None:  # a missing number stays, to be refused
        rows = rows.filter(pl.col("sample").is_null() | (pl.col("sample") < samples))
    try:
        prompt_ids, visits = _add_up(rows)
    except UNREADABLE as error:
        raise _unreadable(shards, error) from error
    except _CheckFailedError as failed:
        raise _invalid_rollout(rows, Path(rollouts)) from failed
    if not prompt_ids:
        raise ContractError(
            where=rollouts,
            found=f"no rollouts in {counted(len(shards), 'shard')}",
            advice="The run recorded nothing. Look for the reason in its log.",
        )
    _refuse_duplicates(rows, prompt_ids, visits)
    _log_counts(prompt_ids, visits, len(shards))
    return Trajectories(
        prompt_ids,
        visits.prompt,
        visits.visit,
        np.divide(visits.reward, visits.number, out=visits.reward),  # in place: there may be millions
        visits.correct / visits.number,
        visits.number,
    )


def shards_in(folder: Path, leave_out: Sequence[str]) -> list[Path]:
    """The Parquet files in ``folder``, without hidden ones and those that ``leave_out`` names."""
    found = sorted(file for file in folder.glob("*.parquet") if not (file.name.startswith(".") or file.is_dir()))
    return [file for file in found if not leaving_out.is_named(file, folder, leave_out)]


def _shards(rollouts: Path, leave_out: Sequence[str]) -> list[Path]:
    """The shards, after a check that their columns have the names and types of the contract."""
    expected_files = "the Parquet shards of a run's rollouts"
    if not rollouts.exists():
        raise ContractError("no such directory", where=rollouts, expected=expected_files)
    shards = [rollouts] if rollouts.is_file() else shards_in(rollouts, leave_out)
    if not shards:
        raise ContractError(where=rollouts, found="no .parquet file", expected=expected_files)
    expected = columns("rollouts")
    for shard in shards:
        try:
            found = pl.read_parquet_schema(shard)
        except UNREADABLE as error:
            raise _unreadable([shard], error) from error
        for column in _READ:
            if found.get(column) != expected[column]:
                raise ContractError(
                    where=(shard, f"column {column!r}"),
                    found=str(found.get(column, "none")),
                    expected=str(expected[column]),
                    advice=leaving_out.leave_out(shard, rollouts) if rollouts.is_dir() else _AS_TABLE,
                )
    return shards


def _add_up(rows: pl.LazyFrame) -> tuple[list[str], Sums]:
    """The prompts, sorted, and the sums of each visit. Raises _CheckFailedError where a value is not allowed."""
    prompts, visits = PromptIndex(), VisitSums()
    # Polars replaces each prompt by a hash, because NumPy is slow with strings
    rows = rows.select(*_NEVER_NULL, pl.col("correct").cast(pl.UInt8), hash=pl.col("prompt_id").hash())
    for batch in rows.collect_batches(engine="streaming"):
        if not batch.is_empty():
            visits.add(_sums(batch, prompts))
    ids = pl.Series(prompts.ids, dtype=pl.String)
    order = ids.arg_sort().to_numpy().astype(np.int64)
    sums = visits.result(order)
    # one check for all rollouts: the sum is finite only if every reward is
    if not np.isfinite(sums.reward).all():
        raise _CheckFailedError
    return ids.gather(order).to_list(), sums


def _sums(batch: pl.DataFrame, prompts: PromptIndex) -> Sums:
    """Sums over runs of consecutive rollouts of one prompt and visit: usually all samples of the visit."""
    if any(batch[column].null_count() for column in _NEVER_NULL):
        raise _CheckFailedError
    hashes, visit, sample, reward, correct = (batch[column].to_numpy() for column in ("hash", *_READ[1:]))
    starts = _starts_of_runs(hashes, visit)
    if min(visit[starts].min(), sample.min()) < 0:
        raise _CheckFailedError
    prompt = prompts.rows(hashes[starts], lambda new: batch["prompt_id"].gather(starts[new]))
    return sums_of_runs(starts, prompt, visit[starts], sample, reward, correct)


def _starts_of_runs(hashes: np.ndarray, visit: np.ndarray) -> np.ndarray:
    """The positions where a rollout is of another prompt or visit than the one before."""
    changes = np.ones(len(visit), dtype=bool)
    np.logical_or(hashes[1:] != hashes[:-1], visit[1:] != visit[:-1], out=changes[1:])
    return np.flatnonzero(changes)


def _unreadable(shards: list[Path], error: BaseException) -> ContractError:
    """The error for the shard that cannot be read: Polars does not name it when it scans several."""
    for shard in shards:
        try:
            pl.scan_parquet(shard, hive_partitioning=False, glob=False).select(_READ).collect()
        except UNREADABLE as cause:
            advice = (
                f"It is truncated or not Parquet: delete the whole run, {shard.parent.parent}, and run it again. A"
                " single missing shard would not be written again."
            )
            return unreadable(shard, cause, advice)
    return ContractError(f"cannot be read ({first_line(error)})", where=shards[0].parent)


def _invalid_rollout(rows: pl.LazyFrame, rollouts: Path) -> ContractError:
    """The error for the first rollout, by shard and key, that is not allowed."""
    null = pl.any_horizontal(pl.col(_NEVER_NULL).is_null())
    invalid = rows.filter(null | ~pl.col("reward").is_finite() | (pl.min_horizontal("visit", "sample") < 0))
    first = invalid.select("shard", *_READ).sort("shard", *_KEYS).head(1).collect(engine="streaming")
    if first.is_empty():  # each reward is finite, but a sum is not
        return ContractError("the sum of a visit's rewards is too large for a floating-point number", where=rollouts)
    row = first.row(0, named=True)
    shard = row.pop("shard")
    number = invalid.select(pl.len()).collect(engine="streaming").item()
    return ContractError(
        where=shard,
        found=str(row),
        expected="no null (except for correct), a finite reward, and visit and sample of at least 0"
        f" ({number:,} such rollouts)",
    )


def _refuse_duplicates(rows: pl.LazyFrame, prompt_ids: list[str], visits: Sums) -> None:
    """Raise ContractError where a rollout occurs twice.

    For most visits, the sums show that all samples are distinct. Only the other visits are searched.
    """
    suspects = np.flatnonzero(~distinct(visits))
    searches = np.cumsum(visits.number[suspects]) // _ROLLOUTS_A_SEARCH
    for search in np.unique(searches):
        of_search = suspects[searches == search]
        ids = pl.Series("prompt_id", prompt_ids, pl.String).gather(visits.prompt[of_search])
        keys = pl.DataFrame([ids, pl.Series("visit", visits.visit[of_search])])
        found = rows.select("shard", *_KEYS).join(keys.lazy(), on=["prompt_id", "visit"], how="semi")
        duplicates = found.collect(engine="streaming").filter(pl.struct(_KEYS).is_duplicated()).sort(_KEYS)
        if not duplicates.is_empty():
            raise _duplicate_rollout(duplicates)


def _duplicate_rollout(duplicates: pl.DataFrame) -> ContractError:
    key = duplicates.row(0, named=True)
    same = duplicates.filter(*(pl.col(name) == key[name] for name in _KEYS))
    return ContractError(
        where=(", ".join(sorted(set(same["shard"]))), *(f"{name} {key[name]}" for name in _KEYS)),
        found=f"{len(same)} such rollouts",
        expected=f"one (rollouts occur twice in at least {duplicates.n_unique(['prompt_id', 'visit']):,} visits)",
        advice="Check whether the directory holds the rollouts of two runs, and remove those that do not belong.",
    )


def _log_counts(prompt_ids: list[str], visits: Sums, n_shards: int) -> None:
    of_prompt = np.diff(np.searchsorted(visits.prompt, np.arange(len(prompt_ids) + 1)))
    logger.info(
        "%s rollouts in %s shards: %s prompts, %s to %s visits each, %s to %s samples a visit",
        f"{visits.number.sum():,}", n_shards, f"{len(prompt_ids):,}", of_prompt.min(), of_prompt.max(),
        visits.number.min(), visits.number.max(),
    )  # fmt: skip
