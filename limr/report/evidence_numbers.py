"""The numbers of the evidence: a row per seed and benchmark for the CSV, and everything for the JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl

from limr.report.bootstrap import Interval
from limr.report.contrasts import AVERAGE, Contrast
from limr.report.pooled_results import Pool
from limr.report.pooled_statistics import world_means, worlds_p
from limr.report.seed_intervals import SeedIntervals, seed_averages

_DIGITS = 6  # decimals of the fractions in CSV and JSON
_OF_A_WORLD = ("configuration_files", "configuration_digest", "configuration", "versions")


def as_rows(pool: Pool) -> pl.DataFrame:
    """One row per model, world, seed and benchmark, and one for the average; accuracies are fractions.

    ``checkpoint``: the last one of a run, or the one that the development set selects.
    """
    rows = []
    models = [("last", *item) for item in pool.results.items()] + [
        ("selected", *item) for item in pool.selected.items()
    ]
    for checkpoint, method, scores in models:
        columns = {name: values[:, 0] for name, values in scores.items()} | {AVERAGE: seed_averages(scores)}
        seeds = [(world.name, seed) for world in pool.worlds for seed in world.seeds]
        for index, (world, seed) in enumerate(seeds):
            for name, values in columns.items():
                keys = {"method": method, "checkpoint": checkpoint, "world": world, "seed": seed, "benchmark": name}
                rows.append(keys | {"accuracy": values[index]})
    return pl.DataFrame(rows).with_columns(pl.col("accuracy").round(_DIGITS))


def as_json(pool: Pool, compared: Sequence[Contrast]) -> dict[str, Any]:
    """The numbers of the page in fractions; per_seed values are in the order of ``units``."""
    intervals = SeedIntervals(pool.configuration["report"]["confidence"])
    return {
        "units": pool.configuration["seeds"],
        "worlds": [{"name": world.name} | {key: world.table[key] for key in _OF_A_WORLD} for world in pool.worlds],
        "methods": [
            _method(method, scores, intervals) | {"outcomes": pool.outcomes.get(method, [])}
            for method, scores in pool.results.items()
        ],
        "development_selected": [_method(method, scores, intervals) for method, scores in pool.selected.items()],
        "contrasts": [
            asdict(row) | {"worlds": world_means(pool, row.per_seed), "p_worlds": worlds_p(pool, row.per_seed)}
            for row in compared
        ],
    }


def _method(method: str, scores: Mapping[str, np.ndarray], intervals: SeedIntervals) -> dict[str, Any]:
    return {
        "method": method,
        "benchmarks": {name: _entry(intervals.of(values[:, 0]), values[:, 0]) for name, values in scores.items()},
        "average": _entry(intervals.average(scores), seed_averages(scores)),
    }


def _entry(interval: Interval, values: np.ndarray) -> dict[str, Any]:
    return asdict(interval) | {"per_seed": values.round(_DIGITS).tolist()}
