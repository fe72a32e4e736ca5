"""Curves over training steps: one value per seed and step, read from evaluations and metrics, with their intervals."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl

from limr.errors import LimrError
from limr.files.contracts import read_parquet
from limr.report.seed_intervals import FEWEST_SEEDS, SeedIntervals

logger = logging.getLogger(__name__)

_POINTS = 40  # points of a line of rewards, at most
_ROW = ["step", "benchmark", "problem_id"]  # the rows that every evaluation must have


@dataclass(frozen=True)
class Curve:
    """One method's values over the training steps: ``values`` [seeds, steps]."""

    steps: np.ndarray
    values: np.ndarray
    confidence: float

    @cached_property
    def mean(self) -> np.ndarray:
        """The mean over the seeds: [steps]."""
        return self.values.mean(axis=0)

    @cached_property
    def band(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Lower and upper end at each step: t intervals from three seeds on, the range of two, None for one."""
        if len(self.values) < 2:
            return None
        if len(self.values) < FEWEST_SEEDS:
            return self.values.min(axis=0), self.values.max(axis=0)
        intervals = [SeedIntervals(self.confidence).of(values) for values in self.values.T]
        return np.array([each.low for each in intervals]), np.array([each.high for each in intervals])


def curves(rows: pl.DataFrame, methods: Sequence[str], seeds: Sequence[int], confidence: float) -> dict[str, Curve]:
    """Method -> its curve, from ``rows`` with ``method``, ``seed``, ``step`` and ``value``."""
    found = {}
    for method in methods:
        table = rows.filter(pl.col("method") == method).pivot("seed", index="step", values="value").sort("step")
        found[method] = Curve(table["step"].to_numpy(), table.select(map(str, seeds)).to_numpy().T, confidence)
    return found


def read_evaluations(paths: Sequence[Path], methods: Sequence[str], seeds: Sequence[int]) -> pl.DataFrame:
    """Means over the problems, from files of contract evaluation_steps: one row per method, seed, step and benchmark.

    Raises LimrError with the file, or the method and seed, if one is missing, occurs twice or is not configured, and if
    two files do not hold the same checkpoints, benchmarks and problems.
    """
    expected = list(product(methods, seeds))
    found: dict[tuple[str, int], tuple[Path, pl.DataFrame]] = {}
    for path in paths:
        rows = read_parquet(path, "evaluation_steps")
        keys = rows.select("method", "seed").unique().rows()
        if len(keys) != 1 or keys[0] not in expected or keys[0] in found:
            names = "; ".join(map(_name, sorted(keys))) or "no rows"
            raise LimrError(where=path, found=names, expected="one method and seed of this figure, each in one file")
        found[keys[0]] = path, rows
    missing = [key for key in expected if key not in found]
    if missing:
        raise LimrError(
            f"there are no evaluated checkpoints of {_name(missing[0])} ({len(missing):,} missing of {len(expected):,})"
        )
    first = found[expected[0]]
    for path, rows in found.values():
        _refuse_other_rows(path, rows, first)
    means = pl.col("accuracy", "response_tokens").mean()
    return pl.concat(rows.sort(_ROW) for _, rows in found.values()).group_by(
        "method", "seed", "step", "benchmark", maintain_order=True
    ).agg(means)  # fmt: skip


def read_rewards(paths: Sequence[Path], methods: Sequence[str], seeds: Sequence[int]) -> pl.DataFrame:
    """Mean training rewards as ``value``, from metrics files in the order of ``methods`` and their ``seeds``.

    The rewards of single steps are too noisy to draw. So each row is the mean of some consecutive steps, and ``step``
    is the first of these. OpenRLHF may lose a step in a crash: then no seed of the method counts this step.
    """
    names = list(product(methods, seeds))
    tables = [
        read_parquet(path, "metrics").select(
            "step", "reward", method=pl.lit(method), seed=pl.lit(seed, pl.Int64)
        )
        for (method, seed), path in zip(names, paths, strict=True)
    ]  # fmt: skip
    rows = pl.concat(tables)
    found = rows.group_by("method", "step").len()
    lost = found.filter(pl.col("len") < len(seeds)).sort("method", "step")
    for method, step, number in lost.iter_rows():
        logger.warning("%s, step %d: only %d of %d seeds have a reward; left out", method, step, number, len(seeds))
    width = -(-(rows["step"].max() + 1) // _POINTS)  # rounded up
    return (
        rows.join(lost, on=["method", "step"], how="anti")
        .sort("method", "seed", "step")
        .group_by("method", "seed", pl.col("step") // width * width, maintain_order=True)
        .agg(value=pl.col("reward").mean())
    )


def _refuse_other_rows(path: Path, rows: pl.DataFrame, first: tuple[Path, pl.DataFrame]) -> None:
    """Raise LimrError if ``rows`` are not about the same steps, benchmarks and problems as those of ``first``."""
    for columns, noun in ((_ROW[:1], "steps"), (_ROW[:2], "benchmarks"), (_ROW, "problems")):
        found, expected = (set(frame.select(columns).unique().rows()) for frame in (rows, first[1]))
        if found != expected:
            missing, others = sorted(expected - found), sorted(found - expected)
            example = f"{_place(missing[0])} is missing" if missing else f"{_place(others[0])} is only here"
            raise LimrError(
                f"the {noun} of {_name(rows.select('method', 'seed').row(0))} differ from those of {first[0]}",
                where=path,
                found=f"{len(missing):,} missing, {len(others):,} not expected ({example})",
                advice="Delete the file that is wrong, and give the same `snakemake` command again.",
            )


def _place(row: tuple[object, ...]) -> str:
    return ", ".join(f"{name} {value}" for name, value in zip(("step", "benchmark", "problem"), row, strict=False))


def _name(key: tuple[object, ...]) -> str:
    return f"method {key[0]}, seed {key[1]}"
