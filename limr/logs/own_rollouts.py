"""From the rollouts that a run of this project left behind, to trajectories: one pass over any number of them."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from limr.errors import ContractError
from limr.files.contracts import columns
from limr.logs.visit_sums import Sums, VisitSums, distinct, sums_of_runs
from limr.trajectories.curves import Trajectories

logger = logging.getLogger(__name__)

_READ = ["prompt_id", "visit", "sample", "reward", "correct"]
_KEYS = ["prompt_id", "visit", "sample"]
_NEVER_NULL = [*_KEYS, "reward"]

_ROLLOUTS_A_SEARCH = 4_000_000  # looked at together in the exact search for those that occur twice


class _SuspicionError(Exception):
    """A fast check has failed: the exact search can say which rollout is at fault."""


def from_rollouts(rollouts: str | Path) -> Trajectories:
    """Average the rollouts of every visit.

    ``rollouts`` is a directory of Parquet shards (contract ``rollouts``) or one shard, the rows in any order. They are
    streamed: what a run said is never in memory, only its visits are. Every visit is kept; ``visit_matrix`` decides
    which of them count. An accuracy is NaN where ``correct`` is null for any of the visit's rollouts.

    The order of shards and rows does not matter, but for the last bits of a mean whose rewards are no sums of powers
    of two (0.1, say; the paper's 1, -0.5 and -1 are).

    Raises ContractError naming the shard when one is truncated or not to the contract, when a rollout occurs twice or
    a reward is not a finite number, and when there is no rollout at all.
    """
    shards = _shards(Path(rollouts))
    rows = pl.scan_parquet(shards, include_file_paths="shard", hive_partitioning=False, glob=False)
    try:
        prompt_ids, visits = _add_up(rows)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ContractError(_unreadable(shards, error)) from error
    except _SuspicionError as suspicion:
        raise _invalid_rollout(rows, Path(rollouts)) from suspicion
    if not prompt_ids:
        raise ContractError(f"{rollouts}: {len(shards):,} shards and not one rollout: the run recorded nothing")
    _refuse_doubled(rows, prompt_ids, visits)
    _log_counts(prompt_ids, visits, len(shards))
    return Trajectories(
        prompt_ids,
        visits.prompt,
        visits.visit,
        np.divide(visits.reward, visits.number, out=visits.reward),
        visits.correct / visits.number,
        visits.number,
    )


def _shards(rollouts: Path) -> list[Path]:
    if not rollouts.exists():
        raise ContractError(f"{rollouts}: no such directory; expected the Parquet shards of a run's rollouts")
    shards = [rollouts] if rollouts.is_file() else sorted(rollouts.glob("*.parquet"))
    if not shards:
        raise ContractError(f"{rollouts}: no .parquet file in it; expected the shards of a run's rollouts")
    expected = columns("rollouts")
    for shard in shards:
        try:
            found = pl.read_parquet_schema(shard)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise ContractError(_unreadable([shard], error)) from error
        for column in _READ:
            if found.get(column) != expected[column]:
                raise ContractError(
                    f"{shard}: column {column!r}: found {found.get(column, 'none')}, expected {expected[column]}"
                )
    return shards


def _add_up(rows: pl.LazyFrame) -> tuple[list[str], Sums]:
    """The prompts, sorted, and one sum a visit. Raises _SuspicionError where a value is not allowed."""
    prompts, visits = _Prompts(), VisitSums()
    rows = rows.select(*_NEVER_NULL, pl.col("correct").cast(pl.UInt8), hash=pl.col("prompt_id").hash())
    for batch in rows.collect_batches(engine="streaming"):
        if not batch.is_empty():
            visits.add(_sums(batch, prompts))
    ids = pl.Series(prompts.ids, dtype=pl.String)
    order = ids.arg_sort().to_numpy().astype(np.int64)
    sums = visits.result(order)
    # where one reward is not finite, the sum is not either
    if not np.isfinite(sums.reward).all():
        raise _SuspicionError
    return ids.gather(order).to_list(), sums


def _sums(batch: pl.DataFrame, prompts: "_Prompts") -> Sums:
    """One sum for each run of rollouts of one prompt and visit."""
    if any(batch[column].null_count() for column in _NEVER_NULL):
        raise _SuspicionError
    hashes, visit, sample, reward, correct = (batch[column].to_numpy() for column in ("hash", *_READ[1:]))
    starts = _starts_of_runs(hashes, visit)
    if min(visit[starts].min(), sample.min()) < 0:
        raise _SuspicionError
    prompt = prompts.rows(hashes[starts], lambda new: batch["prompt_id"].gather(starts[new]))
    return sums_of_runs(starts, prompt, visit[starts], sample, reward, correct)


def _starts_of_runs(hashes: np.ndarray, visit: np.ndarray) -> np.ndarray:
    """Where a rollout is of another prompt or visit than the one before."""
    changes = np.ones(len(visit), dtype=bool)
    np.logical_or(hashes[1:] != hashes[:-1], visit[1:] != visit[:-1], out=changes[1:])
    return np.flatnonzero(changes)


class _Prompts:
    """Prompts in the order in which they were met, found by a hash of 64 bits: rows in an open hash table.

    That two of a million prompts have one hash, and would be taken for one, has a chance of 1 in 37 million.
    """

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._hashes = np.empty(0, np.uint64)  # of each prompt
        self._table = np.full(1, -1, np.int32)  # row of a prompt, -1: none; the length is a power of two

    def rows(self, hashes: np.ndarray, ids: Callable[[np.ndarray], pl.Series]) -> np.ndarray:
        """The row of each prompt; those never met before are added, ``ids(indices)`` says what they are called."""
        rows = self._find(hashes)
        unknown = np.flatnonzero(rows < 0)
        if len(unknown):
            new, first = np.unique(hashes[unknown], return_index=True)
            self._insert(new)
            self.ids += ids(unknown[first]).to_list()
            rows[unknown] = self._find(hashes[unknown])
        return rows

    def _find(self, hashes: np.ndarray) -> np.ndarray:
        if not self.ids:
            return np.full(len(hashes), -1)
        rows = self._table[self._places(hashes)]
        wrong = np.flatnonzero(self._hashes[rows] != hashes)  # or there is none, which the last prompt stands for here
        distance = 0
        while len(wrong := wrong[rows[wrong] >= 0]):
            distance += 1
            rows[wrong] = self._table[self._places(hashes[wrong] + np.uint64(distance))]
            wrong = wrong[self._hashes[rows[wrong]] != hashes[wrong]]
        return rows

    def _insert(self, hashes: np.ndarray) -> None:
        rows = np.arange(len(self.ids), len(self.ids) + len(hashes))
        self._hashes = np.concatenate([self._hashes, hashes])
        if len(self._table) < 2 * len(self._hashes):
            self._table = np.full(4 << len(self._hashes).bit_length(), -1, np.int32)
            rows = np.arange(len(self._hashes))
        distance = 0
        while len(rows):
            places = self._places(self._hashes[rows] + np.uint64(distance))
            free = self._table[places] < 0
            self._table[places[free]] = rows[free]
            rows = rows[self._table[places] != rows]  # the place was taken, perhaps by another of these
            distance += 1

    def _places(self, hashes: np.ndarray) -> np.ndarray:
        return (hashes & np.uint64(len(self._table) - 1)).view(np.int64)


def _unreadable(shards: list[Path], error: Exception) -> str:
    """Say which shard cannot be read: Polars does not name it when it scans many."""
    for shard in shards:
        try:
            pl.scan_parquet(shard, hive_partitioning=False, glob=False).select(_READ).collect()
        except (pl.exceptions.PolarsError, OSError) as cause:
            reason = str(cause).strip().splitlines()[0]
            return (
                f"{shard}: cannot be read as Parquet ({shard.stat().st_size:,} bytes; {reason})."
                f" It is truncated or not Parquet: delete the whole run, {shard.parent.parent}, and make it again"
                " (a single missing shard would not be made again)."
            )
    return f"{shards[0].parent}: cannot be read: {error}"


def _invalid_rollout(rows: pl.LazyFrame, rollouts: Path) -> ContractError:
    """The first rollout, by shard and key, that holds what no rollout may hold."""
    null = pl.any_horizontal(pl.col(_NEVER_NULL).is_null())
    invalid = rows.filter(null | ~pl.col("reward").is_finite() | (pl.min_horizontal("visit", "sample") < 0))
    first = invalid.select("shard", *_READ).sort("shard", *_KEYS).head(1).collect(engine="streaming")
    if first.is_empty():
        return ContractError(f"{rollouts}: the rewards of a visit add up to more than a number can hold")
    row = first.row(0, named=True)
    shard = row.pop("shard")
    number = invalid.select(pl.len()).collect(engine="streaming").item()
    return ContractError(
        f"{shard}: found {row}; expected no empty value (but for correct), a finite reward, and visit and sample from"
        f" 0 on ({number:,} such rollouts)"
    )


def _refuse_doubled(rows: pl.LazyFrame, prompt_ids: list[str], visits: Sums) -> None:
    """Raise ContractError where a rollout occurs twice; only visits whose samples may not be distinct are searched."""
    suspects = np.flatnonzero(~distinct(visits))
    searches = np.cumsum(visits.number[suspects]) // _ROLLOUTS_A_SEARCH
    for search in np.unique(searches):
        of_search = suspects[searches == search]
        ids = pl.Series("prompt_id", prompt_ids, pl.String).gather(visits.prompt[of_search])
        keys = pl.DataFrame([ids, pl.Series("visit", visits.visit[of_search])])
        found = rows.select("shard", *_KEYS).join(keys.lazy(), on=["prompt_id", "visit"], how="semi")
        twice = found.collect(engine="streaming").filter(pl.struct(_KEYS).is_duplicated()).sort(_KEYS)
        if not twice.is_empty():
            raise _doubled_rollout(twice)


def _doubled_rollout(twice: pl.DataFrame) -> ContractError:
    key = twice.row(0, named=True)
    same = twice.filter(*(pl.col(name) == key[name] for name in _KEYS))
    where = ", ".join(sorted(set(same["shard"])))
    return ContractError(
        f"{where}: prompt {key['prompt_id']}, visit {key['visit']}, sample {key['sample']} occurs {len(same)} times,"
        f" expected once (in {twice.n_unique(['prompt_id', 'visit']):,} visits or more, rollouts occur twice)."
        " Rollouts of two runs in one directory? Remove those that do not belong."
    )


def _log_counts(prompt_ids: list[str], visits: Sums, n_shards: int) -> None:
    of_prompt = np.diff(np.searchsorted(visits.prompt, np.arange(len(prompt_ids) + 1)))
    logger.info(
        "%s rollouts in %s shards: %s prompts, %s to %s visits each, %s to %s samples a visit",
        f"{visits.number.sum():,}", n_shards, f"{len(prompt_ids):,}", of_prompt.min(), of_prompt.max(),
        visits.number.min(), visits.number.max(),
    )  # fmt: skip
