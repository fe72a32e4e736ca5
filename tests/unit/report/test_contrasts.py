"""Paired contrasts against scipy, and their corrections against definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from limr.report.contrasts import contrasts, holm, interquartile_mean, probability_of_improvement


def results(seed: int = 0) -> dict[str, dict[str, np.ndarray]]:
    random = np.random.default_rng(seed)
    return {
        method: {"a": random.random((4, 20)) + shift, "b": random.random((4, 7)) + shift}
        for method, shift in (("lim", 0.1), ("rand", 0.0), ("full", 0.2))
    }


def test_a_contrast_is_the_paired_t_test_of_its_seeds():
    scores = results()
    found = {(row.first, row.second, row.benchmark): row for row in contrasts(scores, [("lim", "rand")], 0.95)}
    assert list(found) == [("lim", "rand", "a"), ("lim", "rand", "b"), ("lim", "rand", "average")]
    for name in ("a", "b"):
        row = found["lim", "rand", name]
        test = stats.ttest_rel(scores["lim"][name].mean(axis=1), scores["rand"][name].mean(axis=1))
        bounds = test.confidence_interval(0.95)
        assert [row.p_value, row.difference.low, row.difference.high] == pytest.approx(
            [test.pvalue, bounds.low, bounds.high]
        )
    per_seed = [np.mean([found["lim", "rand", name].per_seed[seed] for name in ("a", "b")]) for seed in range(4)]
    assert found["lim", "rand", "average"].per_seed == pytest.approx(per_seed)


def test_all_contrasts_of_a_call_are_corrected_together():
    rows = contrasts(results(), [("lim", "rand"), ("lim", "full")], 0.95)
    assert [row.p_holm for row in rows] == pytest.approx(holm([row.p_value for row in rows]))
    assert max(row.p_holm / row.p_value for row in rows) == pytest.approx(6)


def test_methods_without_any_difference_have_p_1_and_a_constant_difference_has_p_0():
    same = {"a": np.ones((3, 5))}
    equal, constant = (
        contrasts({"x": {"a": same["a"] + shift}, "y": same}, [("x", "y")], 0.95)[0] for shift in (0.0, 0.25)
    )
    assert (equal.p_value, constant.p_value) == (1.0, 0.0)


def test_rounding_errors_are_no_differences():
    same = {"a": np.array([[0.3], [0.3], [0.7]])}
    rounded = {"a": np.array([[0.1 + 0.2], [0.300001], [0.7]])}
    equal = contrasts({"x": rounded, "y": same}, [("x", "y")], 0.95)[0]
    constant = contrasts({"x": {"a": rounded["a"] + 0.25}, "y": same}, [("x", "y")], 0.95)[0]
    assert (equal.p_value, constant.p_value) == (1.0, 0.0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_rejects_what_the_step_down_procedure_rejects(p_values):
    """The definition: go through the sorted p-values and stop at the first that exceeds level / number left."""
    corrected = holm(p_values)
    for level in (0.01, 0.05, 0.3):
        rejected = set()
        for rank, index in enumerate(np.argsort(p_values, kind="stable")):
            if p_values[index] * (len(p_values) - rank) > level:
                break
            rejected.add(int(index))
        assert {index for index, value in enumerate(corrected) if value <= level} == rejected


def test_the_interquartile_mean_leaves_out_a_quarter_at_each_end():
    scores = np.random.default_rng(0).permutation(np.arange(16.0)).reshape(4, 4)
    assert interquartile_mean(scores) == np.arange(4, 12).mean()


def test_the_probability_of_improvement_is_that_of_the_mann_whitney_test():
    random = np.random.default_rng(0)
    first, second = random.integers(0, 5, (6, 2)), random.integers(0, 5, (4, 2))
    each = [stats.mannwhitneyu(first[:, k], second[:, k]).statistic / 24 for k in range(2)]
    assert probability_of_improvement(first, second) == pytest.approx(np.mean(each))
    assert probability_of_improvement(first, second) + probability_of_improvement(second, first) == pytest.approx(1)


def test_both_statistics_are_those_of_rliable():
    """The numbers of rliable 1.2.0, metrics.aggregate_iqm and metrics.probability_of_improvement, for this example.

    Four runs of two methods on three tasks. Some accuracies occur in both methods, so there are ties.
    """
    first = np.array([[0.62, 0.31, 0.55], [0.60, 0.35, 0.52], [0.66, 0.30, 0.58], [0.61, 0.33, 0.55]])
    second = np.array([[0.60, 0.33, 0.50], [0.61, 0.35, 0.54], [0.58, 0.28, 0.55], [0.63, 0.30, 0.53]])
    assert interquartile_mean(first) == pytest.approx(0.525, abs=1e-12)
    assert interquartile_mean(second) == pytest.approx(0.5083333333333333, abs=1e-12)
    assert probability_of_improvement(first, second) == pytest.approx(0.6770833333333334, abs=1e-12)
    assert probability_of_improvement(second, first) == pytest.approx(0.3229166666666667, abs=1e-12)
