"""The size of each training run: its prompts, steps and rollouts, counted from its files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from limr.errors import ContractError
from limr.files.contracts import UNREADABLE, read_parquet


@dataclass(frozen=True)
class TrainingRun:
    """The size of one training run."""

    questions: int
    steps: int
    rollouts: int


@dataclass(frozen=True)
class Cost:
    """What was generated: rollouts, and their tokens."""

    rollouts: int
    tokens: int

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.rollouts + other.rollouts, self.tokens + other.tokens)


def read_runs(
    subsets: Mapping[str, Sequence[Path]], rollouts: Mapping[str, Sequence[Path]]
) -> dict[str, list[TrainingRun]]:
    """The runs of each method, one per seed, from its subset files and its directories of rollout shards.

    Raises ContractError with the file or directory that cannot be read.
    """
    return {
        method: [
            TrainingRun(read_parquet(subset, "subset").height, *_count(directory))
            for subset, directory in zip(subsets[method], rollouts[method], strict=True)
        ]
        for method in subsets
    }


def number_range(numbers: Iterable[int]) -> str:
    """One number, or the smallest and the largest.

    >>> number_range([2048, 2048]), number_range([60, 58, 64])
    ('2,048', '58-64')
    """
    low, high = min(numbers := list(numbers)), max(numbers)
    return f"{low:,}" if low == high else f"{low:,}-{high:,}"


def rollouts_by_step(directory: Path) -> pl.DataFrame:
    """``step``, ``rollouts`` and their response ``tokens`` in a directory of shards, without reading the responses.

    Raises ContractError with the file or directory that cannot be read.
    """
    shards = sorted(Path(directory).glob("*.parquet"))
    if not shards:
        raise ContractError(
            where=directory, found="no rollouts (*.parquet)", advice="Run the training that makes them."
        )
    tables = []
    for shard in shards:
        try:
            rows = pl.read_parquet(shard, columns=["step", "response_tokens"], hive_partitioning=False, glob=False)
        except UNREADABLE as error:
            raise ContractError(
                f"cannot be read as a rollouts file ({error})",
                where=shard,
                advice=f"Delete the whole run, {directory.parent}, and run it again.",
            ) from error
        tables.append(rows)
    steps = pl.concat(tables).group_by("step").agg(rollouts=pl.len(), tokens=pl.col("response_tokens").sum())
    return steps.sort("step")


def _count(directory: Path) -> tuple[int, int]:
    """The number of steps and of rollouts in a directory of shards."""
    steps = rollouts_by_step(directory)
    return steps.height, int(steps["rollouts"].sum())
