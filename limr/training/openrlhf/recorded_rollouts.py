"""Turns the records of all attempts into the rollouts that were trained on, and audits their number."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from limr.files.atomic import write_json
from limr.files.contracts import columns, write_parquet
from limr.training.openrlhf.records import DEVELOPMENT, Attempt, read, replayed_steps, step_name, trained_attempt

logger = logging.getLogger(__name__)

NAMED = 20  # incomplete visits that the audit lists

_MEANS = {
    "step": pl.Int64,
    "reward": pl.Float64,
    "accuracy": pl.Float64,
    "format_errors": pl.Float64,
    "response_tokens": pl.Float64,
}


def write_rollouts(
    attempts: Sequence[Attempt],
    steps: int,
    interval: int,
    samples: int,
    schedule: Callable[[int], pl.DataFrame],
    folder: Path,
) -> pl.DataFrame:
    """Write the shards of the rollouts contract to ``folder``, one for each ``interval`` steps, and ``audit.json``.

    ``schedule(step)`` gives the visits of a step: columns prompt_id and visit, in order; each visit should have
    ``samples`` rollouts. The audit counts and logs differences, but the shards keep all rollouts: their readers can
    drop incomplete visits.

    Returns the means of each step: step, reward, accuracy, format_errors, response_tokens. Raises ContractError when a
    rollout occurs twice.
    """
    audit = Audit()
    means = []
    for first in range(0, steps, interval):
        last = min(first + interval, steps) - 1
        tables = [_step(attempts, step, samples, schedule(step), audit) for step in range(first, last + 1)]
        means += [_means(table, step) for step, table in enumerate(tables, start=first) if not table.is_empty()]
        write_parquet(pl.concat(tables), folder / f"steps_{first:06d}_{last:06d}.parquet", "rollouts")
    audit.replayed = sum(len(read(attempt.folder / step_name(step)).rows) for attempt, step in replayed_steps(attempts))
    audit.write(folder / "audit.json", attempts)
    return pl.DataFrame(means, schema=_MEANS, orient="row")


class Audit:
    """Counts of the records that were read."""

    def __init__(self) -> None:
        self.rollouts = self.cut_short = self.replayed = self.unexpected = 0
        self.incomplete: list[dict[str, object]] = []

    def count(self, table: pl.DataFrame, expected: pl.DataFrame, samples: int, step: int) -> None:
        """Compare the rollouts of ``step`` with its ``expected`` visits."""
        self.rollouts += len(table)
        visits = table.group_by("prompt_id", "visit").agg(pl.len().alias("samples"))
        found = expected.join(visits, on=["prompt_id", "visit"], how="left").with_columns(
            pl.col("samples").fill_null(0)
        )
        self.unexpected += len(table) - int(found["samples"].sum())
        for row in found.filter(pl.col("samples") != samples).iter_rows(named=True):
            self.incomplete.append({**row, "step": step, "expected": samples})

    def write(self, path: Path, attempts: Sequence[Attempt]) -> None:
        """Write the counts to ``path`` and log them."""
        summary = {
            "rollouts": self.rollouts,
            "attempts": [{"folder": attempt.folder.name, "first_step": attempt.first_step} for attempt in attempts],
            "replayed": self.replayed,
            "lines_cut_short": self.cut_short,
            "unexpected": self.unexpected,
            "incomplete_visits": len(self.incomplete),
            "examples": self.incomplete[:NAMED],
        }
        write_json(path, summary)
        logger.info(
            "%s rollouts; %s more were replayed after resuming and are left out",
            *(f"{self.rollouts:,}", f"{self.replayed:,}"),
        )
        for visit in self.incomplete[:NAMED]:
            logger.warning(
                "prompt %(prompt_id)s, visit %(visit)d (step %(step)d): found %(samples)d rollouts, "
                "expected %(expected)d",
                visit,
            )
        if self.incomplete or self.unexpected:
            logger.warning(
                "%s visits have an unexpected number of rollouts, and %s rollouts belong to no scheduled visit: see %s",
                *(f"{len(self.incomplete):,}", f"{self.unexpected:,}", path),
            )


def development_accuracy(attempts: Sequence[Attempt], prompts: int) -> dict[int, float]:
    """Step -> accuracy on the development set after it, without evaluations of fewer than ``prompts`` responses."""
    accuracy = {}
    for attempt in attempts:
        rows = read(attempt.folder / DEVELOPMENT).rows
        table = pl.DataFrame(
            {"step": [row["step"] for row in rows], "correct": [row["correct"] for row in rows]},
            schema={"step": pl.Int64, "correct": pl.Boolean},
        )
        for step, correct, number in table.group_by("step").agg(pl.col("correct").mean(), n=pl.len()).iter_rows():
            if number == prompts and trained_attempt(attempts, step) is attempt:
                accuracy[step] = correct
    return accuracy


def _step(attempts: Sequence[Attempt], step: int, samples: int, expected: pl.DataFrame, audit: Audit) -> pl.DataFrame:
    """The rollouts of ``step`` that were trained on, in the order of the schedule."""
    attempt = trained_attempt(attempts, step)
    records = read(attempt.folder / step_name(step))
    audit.cut_short += records.cut_short
    table = pl.DataFrame(records.rows, schema=columns("rollouts"))
    audit.count(table, expected, samples, step)
    order = expected.with_row_index("place")
    joined = table.join(order, on=["prompt_id", "visit"], how="left", maintain_order="left")
    return joined.sort("place", "sample", nulls_last=True).drop("place")


def _means(table: pl.DataFrame, step: int) -> tuple[int, float, float, float, float]:
    formatted = table["formatted"].mean()
    return step, table["reward"].mean(), table["correct"].mean(), 1.0 - formatted, table["response_tokens"].mean()
