"""Statistics over the units of several worlds that a single results folder does not have."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from limr.report.contrasts import ROUNDING, probability_of_improvement
from limr.report.pooled_results import Pool


def world_means(pool: Pool, per_seed: Sequence[float]) -> list[float]:
    """The mean of one value per unit in each world."""
    return [float(values.mean()) for values in _of_worlds(pool, per_seed)]


def worlds_p(pool: Pool, per_seed: Sequence[float]) -> float | None:
    """The p-value of equal means in all worlds.

    None if it needs more worlds or seeds, or if in no world a seed differs from the others.
    """
    values = _of_worlds(pool, per_seed)
    if len(values) < 2 or min(map(len, values)) < 2 or all(np.ptp(value) < ROUNDING for value in values):
        return None
    return float(stats.f_oneway(*values).pvalue)


def _of_worlds(pool: Pool, per_seed: Sequence[float]) -> list[np.ndarray]:
    return [np.asarray(per_seed)[pool.world_of == index] for index in range(len(pool.worlds))]


def improvement(pool: Pool, method: str, other: str) -> float:
    """The probability that ``method`` improves on ``other``, mean over the benchmarks of all worlds."""
    one, two = (np.concatenate(list(pool.results[name].values()), axis=1) for name in (method, other))
    worlds = range(len(pool.worlds))
    return float(
        np.mean([probability_of_improvement(one[pool.world_of == w], two[pool.world_of == w]) for w in worlds])
    )
