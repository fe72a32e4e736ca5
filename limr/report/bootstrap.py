"""Bootstrap intervals over problems and training seeds.

A method's results on one benchmark are an array [seeds, problems] of accuracies. Each accuracy is the mean over the
samples of one problem; the samples of a problem are never resampled separately. All methods share the problems and the
seeds. A resample draws both once for all methods, so that differences of two methods are paired. All statistics here
except the ratio are linear in the accuracies, so the interval of a difference is that of the array of differences.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from limr.errors import LimrError


@dataclass(frozen=True)
class Interval:
    """A point estimate and the bounds of its interval."""

    point: float
    low: float
    high: float


class Bootstrap:
    """Percentile bootstrap with one set of draws for every benchmark score, average and difference.

    A resample draws the seeds with replacement, once for all benchmarks, because they test the same training runs. It
    draws the problems of each benchmark with replacement, independently of the other benchmarks. All seeds share these
    draws, because they answer the same problems. With one seed only problems are drawn.

    This is the two-way ("pigeonhole") bootstrap of Owen (2007, Annals of Applied Statistics 1:386-411). Its intervals
    tend to be too wide. A small number of seeds, S, makes them narrower, by the factor sqrt((S - 1) / S). Simulated
    95 % intervals for five seeds contain the true value 92 % of the time if seeds differ by 10 points. If they differ
    by 1 point, it is 97 % (tests/unit/report/test_bootstrap.py).

    >>> bootstrap = Bootstrap({"quiz": 4}, seeds=1, resamples=2000, confidence=0.95, random_seed=0)
    >>> bootstrap.benchmark("quiz", np.array([[1.0, 0.0, 1.0, 0.0]]))
    Interval(point=0.5, low=0.0, high=1.0)
    """

    def __init__(
        self, problems: Mapping[str, int], seeds: int, resamples: int, confidence: float, random_seed: int
    ) -> None:
        """Draw ``resamples`` resamples of ``seeds`` seeds and of ``problems[name]`` problems for each benchmark."""
        generator = np.random.default_rng(random_seed)
        self.confidence = confidence
        self._seed_weights = _draw_weights(seeds, resamples, generator)
        self._problem_weights = {name: _draw_weights(count, resamples, generator) for name, count in problems.items()}

    def benchmark(self, name: str, accuracies: np.ndarray) -> Interval:
        """Interval of the mean of ``accuracies`` [seeds, problems] on benchmark ``name``, or of a difference of two."""
        return self._interval(float(accuracies.mean()), self._resampled(name, accuracies))

    def average(self, accuracies: Mapping[str, np.ndarray]) -> Interval:
        """Interval of the unweighted mean of the benchmarks' scores; ``accuracies``: benchmark -> [seeds, problems]."""
        return self._interval(_average(accuracies), self._resampled_average(accuracies))

    def ratio(self, numerator: Mapping[str, np.ndarray], denominator: Mapping[str, np.ndarray]) -> Interval | None:
        """Interval of the ratio of two averages, such as the share of one gain that another keeps.

        None when the interval of the denominator contains 0: a share of a gain that may be 0 has no meaning.
        """
        below = self.average(denominator)
        if below.low <= 0 <= below.high:
            return None
        resampled = self._resampled_average(numerator) / self._resampled_average(denominator)
        return self._interval(_average(numerator) / below.point, resampled)

    def _resampled(self, name: str, accuracies: np.ndarray) -> np.ndarray:
        """The weighted mean of ``accuracies`` in each resample, shape [resamples]."""
        problem_weights = self._problem_weights[name]
        expected = (self._seed_weights.shape[1], problem_weights.shape[1])
        if accuracies.shape != expected:
            raise LimrError(
                where=f"benchmark {name}", found=f"accuracies of shape {accuracies.shape}", expected=str(expected)
            )
        # [resamples, seeds] @ [seeds, problems]: the mean over the seeds in each resample, then weighted by problem
        return ((self._seed_weights @ accuracies) * problem_weights).sum(axis=1)

    def _resampled_average(self, accuracies: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.mean([self._resampled(name, values) for name, values in accuracies.items()], axis=0)

    def _interval(self, point: float, resampled: np.ndarray) -> Interval:
        tail = (1 - self.confidence) / 2
        low, high = np.quantile(resampled, [tail, 1 - tail])
        return Interval(point, float(low), float(high))


def _average(accuracies: Mapping[str, np.ndarray]) -> float:
    return float(np.mean([values.mean() for values in accuracies.values()]))


def _draw_weights(count: int, resamples: int, generator: np.random.Generator) -> np.ndarray:
    """How often each of ``count`` units is drawn in each resample, divided by ``count``: [resamples, count]."""
    draws = generator.integers(count, size=(resamples, count))
    rows = np.arange(resamples)[:, np.newaxis] * count  # a number range per resample: one bincount does all
    return np.bincount((draws + rows).ravel(), minlength=resamples * count).reshape(resamples, count) / count
