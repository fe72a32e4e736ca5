"""From the records of all attempts to the run's rollouts: those that were trained on, counted."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from limr.files.atomic import write_json
from limr.files.contracts import columns, write_parquet
from limr.training.openrlhf.records import Attempt, read, replayed_steps, step_name, trained_attempt

logger = logging.getLogger(__name__)

NAMED = 20  # incomplete visits that the audit names


def write_rollouts(
    attempts: Sequence[Attempt],
    steps: int,
    interval: int,
    samples: int,
    schedule: Callable[[int], pl.DataFrame],
    folder: Path,
) -> pl.DataFrame:
    """Write the shards of the rollouts contract to ``folder``, one for each ``interval`` steps, and ``audit.json``.

    ``schedule(step)`` is what should have been met: columns prompt_id and visit, in order; each of them ``samples``
    times. What is not so is counted in the audit and logged, and left as it is: those who read the shards know how to
    leave out a visit that is not whole.

    Returns each step's means: step, reward, accuracy, format_errors, response_tokens. Raises ContractError when a
    rollout occurs twice.
    """
    audit = Audit()
    means = []
    for first in range(0, steps, interval):
        last = min(first + interval, steps) - 1
        tables = [_step(attempts, step, samples, schedule(step), audit) for step in range(first, last + 1)]
        means += [_means(table, step) for step, table in enumerate(tables, start=first) if not table.is_empty()]
        write_parquet(pl.concat(tables), folder / f"steps_{first:06d}_{last:06d}.parquet", "rollouts")
    audit.thrown_away = sum(len(read(attempt.folder / step_name(step)).rows) for attempt, step in
                            replayed_steps(attempts))  # fmt: skip
    audit.write(folder / "audit.json", attempts)
    return pl.DataFrame(means, schema=_MEANS, orient="row")


_MEANS = {
    "step": pl.Int64,
    "reward": pl.Float64,
    "accuracy": pl.Float64,
    "format_errors": pl.Float64,
    "response_tokens": pl.Float64,
}


class Audit:
    """What was counted while the records were read."""

    def __init__(self) -> None:
        self.rollouts = self.torn = self.thrown_away = self.unexpected = 0
        self.incomplete: list[dict[str, object]] = []

    def count(self, table: pl.DataFrame, expected: pl.DataFrame, samples: int, step: int) -> None:
        """Compare the rollouts of ``step`` with what should have been met."""
        self.rollouts += len(table)
        visits = table.group_by("prompt_id", "visit").agg(pl.len().alias("samples"))
        met = expected.join(visits, on=["prompt_id", "visit"], how="left").with_columns(pl.col("samples").fill_null(0))
        self.unexpected += len(table) - int(met["samples"].sum())
        for row in met.filter(pl.col("samples") != samples).iter_rows(named=True):
            self.incomplete.append({**row, "step": step, "expected": samples})

    def write(self, path: Path, attempts: Sequence[Attempt]) -> None:
        summary = {
            "rollouts": self.rollouts,
            "attempts": [{"folder": attempt.folder.name, "first_step": attempt.first_step} for attempt in attempts],
            "thrown_away_by_resuming": self.thrown_away,
            "lines_cut_short": self.torn,
            "not_of_the_schedule": self.unexpected,
            "incomplete_visits": len(self.incomplete),
            "of_them": self.incomplete[:NAMED],
        }
        write_json(path, summary)
        logger.info("%s rollouts; %s more were made again after resuming and left out",
                    f"{self.rollouts:,}", f"{self.thrown_away:,}")  # fmt: skip
        for visit in self.incomplete[:NAMED]:
            logger.warning("prompt %(prompt_id)s, visit %(visit)d (step %(step)d): %(samples)d rollouts are recorded, "
                           "expected %(expected)d", visit)  # fmt: skip
        if self.incomplete or self.unexpected:
            logger.warning("%s visits have not as many rollouts as they should, and %s rollouts are of none: see %s",
                           f"{len(self.incomplete):,}", f"{self.unexpected:,}", path)  # fmt: skip


def development_accuracy(attempts: Sequence[Attempt], prompts: int) -> dict[int, float]:
    """Step -> accuracy on the development set after it, where all ``prompts`` of it were answered."""
    accuracy = {}
    for attempt in attempts:
        rows = [row for row in read(attempt.folder / "development").rows]
        table = pl.DataFrame({"step": [row["step"] for row in rows], "correct": [row["correct"] for row in rows]},
                             schema={"step": pl.Int64, "correct": pl.Boolean})  # fmt: skip
        for step, correct, number in table.group_by("step").agg(pl.col("correct").mean(), n=pl.len()).iter_rows():
            if number == prompts and trained_attempt(attempts, step) is attempt:
                accuracy[step] = correct
    return accuracy


def _step(attempts: Sequence[Attempt], step: int, samples: int, expected: pl.DataFrame, audit: Audit) -> pl.DataFrame:
    """The rollouts of ``step`` that were trained on, in the order of the schedule."""
    attempt = trained_attempt(attempts, step)
    lines = read(attempt.folder / step_name(step))
    audit.torn += lines.torn
    table = pl.DataFrame(lines.rows, schema=columns("rollouts"))
    audit.count(table, expected, samples, step)
    order = expected.with_row_index("place")
    joined = table.join(order, on=["prompt_id", "visit"], how="left", maintain_order="left")
    return joined.sort("place", "sample", nulls_last=True).drop("place")


def _means(table: pl.DataFrame, step: int) -> tuple[int, float, float, float, float]:
    formatted = table["formatted"].mean()
    return step, table["reward"].mean(), table["correct"].mean(), 1.0 - formatted, table["response_tokens"].mean()
