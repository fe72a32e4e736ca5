"""Paired differences between two methods over training seeds: intervals, p-values and Holm's correction.

The question of a comparison is whether one method is better than another, not whether their intervals overlap. Both
methods of a contrast share seeds and problems, so each seed gives one difference and the test is a paired t test.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from limr.report.bootstrap import Interval
from limr.report.seed_intervals import SeedIntervals, seed_averages

AVERAGE = "average"
ROUNDING = 2.5e-6  # of a difference of accuracies: table2.json has six decimals of each


@dataclass(frozen=True)
class Contrast:
    """``first`` minus ``second`` on ``benchmark``, which may be the average, in fractions.

    ``per_seed``: the difference of each seed, in the order of the seeds. ``p_value``: two-sided, of the paired t test;
    1 if no seed differs. ``p_holm``: corrected for all contrasts of one call of ``contrasts``.
    """

    first: str
    second: str
    benchmark: str
    difference: Interval
    per_seed: list[float]
    p_value: float
    p_holm: float


def contrasts(
    results: Mapping[str, Mapping[str, np.ndarray]], pairs: Sequence[tuple[str, str]], confidence: float
) -> list[Contrast]:
    """The contrasts of ``pairs`` on each benchmark and on the average.

    ``results[method][benchmark]``: accuracies [seeds, problems], at least two seeds.
    """
    intervals = SeedIntervals(confidence)
    rows = []
    for first, second in pairs:
        scores = {name: values - results[second][name] for name, values in results[first].items()}
        per_seed = {name: values.mean(axis=1) for name, values in scores.items()} | {AVERAGE: seed_averages(scores)}
        rows += [(first, second, name, values) for name, values in per_seed.items()]
    p_values = [_paired_t(values) for *_, values in rows]
    return [
        Contrast(first, second, name, intervals.of(values), values.tolist(), p_value, corrected)
        for (first, second, name, values), p_value, corrected in zip(rows, p_values, holm(p_values), strict=True)
    ]


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected by Holm's step-down method (1979), which keeps the chance of any false claim below the level.

    The smallest of m is multiplied by m, the next by m - 1, and so on; none becomes smaller than the one before it.

    >>> [round(value, 3) for value in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=float)
    order = np.argsort(values)
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected.tolist()


def interquartile_mean(scores: np.ndarray) -> float:
    """The mean of the middle half of all ``scores`` [seeds, benchmarks] (Agarwal et al. 2021, arXiv 2108.13264).

    >>> interquartile_mean(np.array([[0.0, 0.4], [0.6, 1.0]]))
    0.5
    """
    return float(stats.trim_mean(scores, 0.25, axis=None))


def probability_of_improvement(first: np.ndarray, second: np.ndarray) -> float:
    """The chance that a run of ``first`` beats a run of ``second`` on a benchmark, mean over the benchmarks.

    Both: scores [seeds, benchmarks]. Ties count one half (Agarwal et al. 2021, arXiv 2108.13264, section 4.3). Runs are
    compared with all runs of the other method, not only with those of the same seed.

    >>> probability_of_improvement(np.array([[0.2], [0.4]]), np.array([[0.1], [0.4]]))
    0.625
    """
    difference = first[:, np.newaxis] - second[np.newaxis]
    return float(((difference > 0) + 0.5 * (difference == 0)).mean())


def _paired_t(differences: np.ndarray) -> float:
    if np.ptp(differences) < ROUNDING:  # the test statistic would be 0 / 0, or infinite
        return 1.0 if abs(differences[0]) < ROUNDING else 0.0
    return float(stats.ttest_1samp(differences, 0.0).pvalue)
