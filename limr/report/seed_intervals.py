"""Intervals over training seeds with Student's t distribution, for three seeds or more.

One value per seed: a method's accuracy on a benchmark, or the difference of two methods that share the seed. The values
of different seeds are independent, because each seed has its own data order, its own sampling and its own draw of RAND.
The problems are taken as they are: an interval says where the mean over all seeds lies *on these problems*. Two methods
answer the same problems, so most of the problems' differences cancel in a paired difference.

With few seeds the bootstrap's intervals (bootstrap.py) are too narrow, because a resample of S seeds varies less than
S new seeds, by the factor sqrt((S - 1) / S). The t distribution corrects for this. Simulations of how often an interval
contains the truth: tests/unit/report/test_seed_intervals.py, and test_bootstrap.py for the bootstrap.
"""

from collections.abc import Mapping

import numpy as np

from limr.report.bootstrap import Interval

FEWEST_SEEDS = 3  # with two seeds, the 95 % interval of t is 13 standard errors wide on each side


class SeedIntervals:
    """The same intervals as ``Bootstrap``, from the mean and the spread of the values of the seeds.

    >>> SeedIntervals(0.95).benchmark("quiz", np.array([[0.5, 0.5], [1.0, 0.5], [0.5, 0.0]])).point
    0.5
    """

    def __init__(self, confidence: float) -> None:
        self.confidence = confidence

    def benchmark(self, name: str, accuracies: np.ndarray) -> Interval:
        """Interval of the mean of ``accuracies`` [seeds, problems], or of a difference of two; ``name`` is not used."""
        return self.of(accuracies.mean(axis=1))

    def average(self, accuracies: Mapping[str, np.ndarray]) -> Interval:
        """Interval of the unweighted mean of the benchmarks' scores; ``accuracies``: benchmark -> [seeds, problems]."""
        return self.of(seed_averages(accuracies))

    def ratio(self, numerator: Mapping[str, np.ndarray], denominator: Mapping[str, np.ndarray]) -> Interval | None:
        """Fieller's interval (1954) of the ratio of two averages, such as the share of one gain that another keeps.

        A ratio r is in the interval if ``numerator - r * denominator`` may have mean 0. None when the denominator
        itself may be 0: then no bounded interval exists.
        """
        above, below = seed_averages(numerator), seed_averages(denominator)
        seeds = len(above)
        critical = self._quantile(seeds) ** 2
        covariance = np.cov(above, below) / seeds
        # the bounds solve a r^2 - 2 b r + c = 0
        a = below.mean() ** 2 - critical * covariance[1, 1]
        b = above.mean() * below.mean() - critical * covariance[0, 1]
        c = above.mean() ** 2 - critical * covariance[0, 0]
        if a <= 0:
            return None
        root = np.sqrt(max(b * b - a * c, 0.0))
        return Interval(float(above.mean() / below.mean()), float((b - root) / a), float((b + root) / a))

    def of(self, values: np.ndarray) -> Interval:
        """Interval of the mean of one value per seed."""
        error = values.std(ddof=1) / np.sqrt(len(values))
        half = float(self._quantile(len(values)) * error)
        return Interval(float(values.mean()), float(values.mean()) - half, float(values.mean()) + half)

    def _quantile(self, seeds: int) -> float:
        """How many standard errors an interval reaches to each side."""
        from scipy import stats  # the environment of the selection lacks it, and draws figures of one seed

        return stats.t.ppf((1 + self.confidence) / 2, seeds - 1)


def seed_averages(accuracies: Mapping[str, np.ndarray]) -> np.ndarray:
    """The unweighted mean over the benchmarks of each seed's score: [seeds]."""
    return np.mean([values.mean(axis=1) for values in accuracies.values()], axis=0)
