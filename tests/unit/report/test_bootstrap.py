"""Bootstrap intervals against enumeration, closed forms and simulated coverage."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refused

from limr.report.bootstrap import Bootstrap


def bootstrap(problems, seeds=1, resamples=2000, confidence=0.95, random_seed=0):
    return Bootstrap(problems, seeds, resamples, confidence, random_seed)


def test_interval_is_that_of_every_possible_resample():
    """Enumerate all 2^2 draws of seeds times 4^4 draws of problems, each equally likely."""
    accuracies = np.random.default_rng(1).random((2, 4))
    means = [
        accuracies[np.ix_(seeds, problems)].mean()
        for seeds in itertools.product(range(2), repeat=2)
        for problems in itertools.product(range(4), repeat=4)
    ]
    for confidence in (0.5, 0.8, 0.95):
        found = bootstrap({"b": 4}, seeds=2, resamples=100_000, confidence=confidence).benchmark("b", accuracies)
        tail = (1 - confidence) / 2
        assert found.point == pytest.approx(accuracies.mean())
        assert [found.low, found.high] == pytest.approx(np.quantile(means, [tail, 1 - tail]), abs=0.01)


def test_one_seed_gives_the_binomial_interval():
    accuracies = (np.arange(500) < 200).astype(float)[np.newaxis]
    found = bootstrap({"b": 500}, resamples=10_000).benchmark("b", accuracies)
    half = 1.96 * np.sqrt(0.4 * 0.6 / 500)
    assert found.point == pytest.approx(0.4)
    assert [found.low, found.high] == pytest.approx([0.4 - half, 0.4 + half], abs=0.004)


def test_seeds_that_differ_widen_the_interval_and_equal_seeds_do_not():
    one = np.random.default_rng(0).integers(0, 2, (1, 200)).astype(float)
    widths = []
    for shift in (0.0, 0.2):
        seeds = np.vstack([one, one + shift, one - shift])
        found = bootstrap({"b": 200}, seeds=3).benchmark("b", seeds)
        widths.append(found.high - found.low)
    alone = bootstrap({"b": 200}, seeds=1).benchmark("b", one)
    assert widths[0] == pytest.approx(alone.high - alone.low, rel=0.1)
    assert widths[1] > 1.5 * widths[0]


def test_differences_are_paired_by_problem_and_seed():
    """A method that is 0.1 better on every problem is certain to be 0.1 better, however much the problems differ."""
    accuracies = np.random.default_rng(0).random((3, 50))
    both = bootstrap({"b": 50}, seeds=3)
    difference = both.benchmark("b", (accuracies + 0.1) - accuracies)
    assert [difference.point, difference.low, difference.high] == pytest.approx([0.1] * 3)
    score = both.benchmark("b", accuracies)
    assert score.high - score.low > 0.1


def test_the_average_draws_the_same_seeds_for_all_benchmarks():
    """If only seeds differ, the average of two benchmarks is as uncertain as one benchmark."""
    seeds = np.array([[0.1], [0.4], [0.9], [0.5]])
    both = bootstrap({"a": 10, "b": 30}, seeds=4)
    alone = both.benchmark("a", np.tile(seeds, 10))
    average = both.average({"a": np.tile(seeds, 10), "b": np.tile(seeds, 30)})
    assert [average.low, average.high] == pytest.approx([alone.low, alone.high])


def test_the_average_draws_the_problems_of_each_benchmark_independently():
    accuracies = np.random.default_rng(0).random((1, 100))
    both = bootstrap({"a": 100, "b": 100}, resamples=20_000)
    alone = both.benchmark("a", accuracies)
    average = both.average({"a": accuracies, "b": accuracies})
    assert average.high - average.low == pytest.approx((alone.high - alone.low) / np.sqrt(2), rel=0.05)


def test_the_average_gives_every_benchmark_the_same_weight():
    found = bootstrap({"a": 500, "b": 10}).average({"a": np.ones((1, 500)), "b": np.zeros((1, 10))})
    assert found.point == 0.5


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(1, 12), st.floats(-3, 3), st.floats(-5, 5))
def test_an_affine_map_of_the_accuracies_maps_the_interval(seeds, problems, factor, shift):
    accuracies = np.random.default_rng(seeds * 100 + problems).random((seeds, problems))
    both = bootstrap({"b": problems}, seeds=seeds, resamples=200)
    plain, mapped = both.benchmark("b", accuracies), both.benchmark("b", factor * accuracies + shift)
    bounds = sorted([factor * plain.low + shift, factor * plain.high + shift])
    assert [mapped.low, mapped.high] == pytest.approx(bounds, abs=1e-9)


def test_the_same_random_seed_gives_the_same_interval():
    accuracies = np.random.default_rng(0).random((2, 40))
    first, second, other = (bootstrap({"b": 40}, 2, random_seed=s).benchmark("b", accuracies) for s in (0, 0, 1))
    assert first == second != other


def test_a_ratio_has_the_interval_of_resampled_ratios():
    gain = {"a": np.random.default_rng(0).random((1, 200)) + 0.5}
    both = bootstrap({"a": 200})
    half = both.ratio({"a": gain["a"] / 2}, gain)
    assert [half.point, half.low, half.high] == pytest.approx([0.5] * 3)
    other = {"a": np.random.default_rng(1).random((1, 200))}
    found = both.ratio(other, gain)
    assert found.low < found.point < found.high


def test_there_is_no_ratio_if_the_denominator_may_be_0():
    noise = np.random.default_rng(0).normal(0, 1, (1, 50))
    assert bootstrap({"a": 50}).ratio({"a": noise}, {"a": noise - noise.mean()}) is None


def test_accuracies_of_another_shape_are_refused():
    with refused(where="benchmark b", found="accuracies of shape (2, 5)", expected="(1, 5)"):
        bootstrap({"b": 5}).benchmark("b", np.zeros((2, 5)))


def coverage(seeds, seed_spread, trials=400, problems=100):
    """Share of 95 % intervals that contain the true accuracy of a simulated method, 0.5."""
    generator = np.random.default_rng(0)
    hits = 0
    for trial in range(trials):
        chance = generator.beta(1, 1, problems) + generator.normal(0, seed_spread, (seeds, 1))
        accuracies = generator.binomial(4, np.clip(chance, 0, 1)) / 4
        found = bootstrap({"b": problems}, seeds, resamples=400, random_seed=trial).benchmark("b", accuracies)
        hits += found.low <= 0.5 <= found.high
    return hits / trials


def test_95_percent_intervals_over_problems_contain_the_truth_95_percent_of_the_time():
    assert coverage(seeds=1, seed_spread=0) == pytest.approx(0.95, abs=0.03)


def test_intervals_over_five_seeds_contain_the_truth_nearly_as_often():
    """If five seeds dominate the uncertainty, the interval is too narrow, as in the docstring of Bootstrap."""
    assert coverage(seeds=5, seed_spread=0.01) == pytest.approx(0.97, abs=0.02)
    assert coverage(seeds=5, seed_spread=0.10) == pytest.approx(0.92, abs=0.02)
