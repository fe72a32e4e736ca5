"""Intervals over seeds against scipy, algebra and simulated coverage."""

import numpy as np
import pytest
from scipy import stats

from limr.report.bootstrap import Bootstrap
from limr.report.seed_intervals import SeedIntervals

REPETITIONS, SEEDS, PROBLEMS = 2000, 8, 500


def test_an_interval_is_the_one_of_the_t_test():
    accuracies = np.random.default_rng(0).random((5, 30))
    found = SeedIntervals(0.9).benchmark("b", accuracies)
    expected = stats.ttest_1samp(accuracies.mean(axis=1), 0).confidence_interval(0.9)
    assert [found.point, found.low, found.high] == pytest.approx([accuracies.mean(), expected.low, expected.high])


def test_the_average_gives_every_benchmark_the_same_weight():
    scores = {"a": np.tile([[0.1], [0.2], [0.3]], 7), "b": np.tile([[0.5], [0.5], [0.8]], 90)}
    found = SeedIntervals(0.95).average(scores)
    expected = SeedIntervals(0.95).of(np.array([0.3, 0.35, 0.55]))
    assert [found.point, found.low, found.high] == pytest.approx([expected.point, expected.low, expected.high])


def test_the_bounds_of_a_ratio_are_those_where_the_t_test_changes_its_verdict():
    random = np.random.default_rng(3)
    below = {"a": 0.5 + 0.1 * random.random((6, 1))}
    above = {"a": 0.7 * below["a"] + 0.05 * random.random((6, 1))}
    found = SeedIntervals(0.95).ratio(above, below)
    for bound in (found.low, found.high):
        assert stats.ttest_1samp((above["a"] - bound * below["a"])[:, 0], 0).pvalue == pytest.approx(0.05)
    assert found.point == pytest.approx(above["a"].mean() / below["a"].mean())
    assert found.low < found.point < found.high


def test_there_is_no_ratio_if_the_denominator_may_be_0():
    below = {"a": np.array([[0.1], [-0.1], [0.05]])}
    assert SeedIntervals(0.95).ratio(below, below) is None


def simulated(seed_spread: float, random: np.random.Generator) -> np.ndarray:
    """Paired differences [repetitions, seeds] of two methods with the true difference 0, as shares of problems.

    Each run has its own skill, with standard deviation ``seed_spread``. Both methods answer the same problems, whose
    difficulties differ.
    """
    difficulty = random.normal(0, 1, (REPETITIONS, 1, PROBLEMS))
    answers = []
    for _ in range(2):
        skill = random.normal(0, seed_spread / 0.28, (REPETITIONS, SEEDS, 1))  # 0.28: points of accuracy per unit
        chance = 1 / (1 + np.exp(-(difficulty + skill).astype(np.float32)))
        answers.append((random.random(chance.shape, dtype=np.float32) < chance).mean(axis=2))
    return answers[0] - answers[1]


@pytest.mark.parametrize("seed_spread", [0.01, 0.04])
def test_paired_intervals_of_eight_seeds_contain_the_truth_in_93_to_97_percent(seed_spread):
    differences = simulated(seed_spread, np.random.default_rng(1))
    intervals = [SeedIntervals(0.95).of(row) for row in differences]
    covered = np.mean([interval.low <= 0 <= interval.high for interval in intervals])
    assert 0.93 <= covered <= 0.97


def test_the_bootstrap_of_few_seeds_is_narrower_than_t():
    accuracies = np.tile(np.random.default_rng(0).random((4, 1)), 5)
    one, other = (
        each.benchmark("b", accuracies) for each in (SeedIntervals(0.95), Bootstrap({"b": 5}, 4, 5000, 0.95, 0))
    )
    assert one.high - one.low > 1.5 * (other.high - other.low)
