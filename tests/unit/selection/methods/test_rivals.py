"""The rivals of LIM: each against its formula in plain Python, gaps included, and against examples worked by hand."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_curves import GRAIN, curves_with_gaps, mean_curve, pool_of, whole_curves

from limr.errors import LimrError
from limr.selection.method import run_method
from limr.selection.methods.mopps import posterior

gaps = st.sampled_from(["drop", "next"])


def scores_of(method: str, curves, **options) -> dict[str, float]:
    return run_method(method, pool_of(curves), options).scores


def agree(method: str, curves, formula, missing: str, **options) -> None:
    """The method gives each prompt with a whole curve what ``formula`` makes of the curve, and a reason to the rest."""
    result = run_method(method, pool_of(curves), {"missing": missing, **options})
    expected = {prompt_id: formula(curve) for prompt_id, curve in whole_curves(curves, missing).items()}
    expected = {prompt_id: score for prompt_id, score in expected.items() if score is not None}
    assert result.scores == pytest.approx(expected, abs=1e-12, rel=1e-12)
    met = {prompt_id for prompt_id, curve in curves.items() if set(curve) != {None}}
    assert set(result.dropped) == met - set(expected), "scored, or dropped with a reason"


@given(curves_with_gaps(), gaps)
def test_cosine_is_the_cosine_with_the_mean_curve(curves, missing):
    mean = mean_curve(whole_curves(curves, missing))

    def formula(curve):
        size = math.hypot(*curve) * math.hypot(*mean)
        return sum(a * b for a, b in zip(curve, mean, strict=True)) / size if any(curve) else None

    agree("cosine", curves, formula, missing, signal="accuracy")


@given(curves_with_gaps(lowest_visits=2), gaps)
def test_pearson_is_the_correlation_with_the_mean_curve(curves, missing):
    mean = mean_curve(whole_curves(curves, missing))
    if max(mean) - min(mean) < 1e-9:  # which is refused, and tested below
        return

    def formula(curve):
        return statistics.correlation(curve, mean) if len(set(curve)) > 1 else None

    agree("pearson", curves, formula, missing, signal="accuracy")
    agree("pearson", curves, formula, missing, signal="reward")  # 2 a - 1: no other correlation


@given(curves_with_gaps(), gaps)
def test_standard_deviation_is_that_of_the_curve(curves, missing):
    agree("standard_deviation", curves, statistics.pstdev, missing)


@given(curves_with_gaps(), gaps)
def test_learnability_is_the_mean_of_p_times_1_minus_p(curves, missing):
    agree("learnability", curves, lambda curve: sum(p * (1 - p) for p in curve) / len(curve), missing)


@given(curves_with_gaps(), gaps, st.sampled_from([(0.2, 0.8), (0, 1), (0.3, 0.5)]))
def test_pass_rate_band_is_the_distance_to_the_nearer_end_of_the_band(curves, missing, band):
    lowest, highest = band

    def formula(curve):
        rate = statistics.fmean(curve)
        return min(rate - lowest, highest - rate)

    agree("pass_rate_band", curves, formula, missing, lowest=lowest, highest=highest)


@given(curves_with_gaps(), st.integers(1, 15), st.integers(1, 15))
def test_theta_0_keeps_exactly_the_pass_rates_in_the_band(curves, first, second):
    lowest, highest = sorted({first / 16, second / 16, 1.0})[:2]
    scores = scores_of("pass_rate_band", curves, lowest=lowest, highest=highest)
    for prompt_id, curve in whole_curves(curves, "drop").items():
        correct = sum(round(GRAIN * accuracy) for accuracy in curve)  # whole numbers: no rounding to hide behind
        in_band = lowest * GRAIN * len(curve) <= correct <= highest * GRAIN * len(curve)
        assert (scores[prompt_id] >= 0) == in_band


@given(curves_with_gaps(), gaps)
def test_zero_variance_is_the_share_of_visits_with_some_right_and_some_wrong(curves, missing):
    def formula(curve):
        return sum(0 < round(GRAIN * accuracy) < GRAIN for accuracy in curve) / len(curve)

    agree("zero_variance", curves, formula, missing)


@given(curves_with_gaps(lowest_visits=2), gaps)
def test_slope_is_that_of_the_least_squares_line(curves, missing):
    agree("slope", curves, lambda curve: statistics.linear_regression(range(len(curve)), curve).slope, missing)


@given(curves_with_gaps(), gaps, st.sampled_from([0.5, 0.9, 0.0, 1.0]))
def test_greso_skips_by_the_streak_without_variance_that_the_curve_ends_with(curves, missing, exploration):
    def formula(curve):
        streak = 0
        while streak < len(curve) and curve[-1 - streak] in (0, 1):
            streak += 1
        skipped = 1 - exploration**streak
        return 1 - skipped

    agree("greso", curves, formula, missing, exploration=exploration)


@given(curves_with_gaps(), gaps, st.floats(0, 1), st.floats(0, 1))
def test_mopps_is_the_expected_squared_distance_of_the_posterior_from_the_target(curves, missing, target, discount):
    def formula(curve):
        alpha = beta = 1.0
        for accuracy in curve:
            alpha = discount * alpha + (1 - discount) * 1 + GRAIN * accuracy
            beta = discount * beta + (1 - discount) * 1 + (GRAIN - GRAIN * accuracy)
        total = alpha + beta
        first, second = alpha / total, alpha * (alpha + 1) / (total * (total + 1))  # moments of a Beta distribution
        return -(second - 2 * target * first + target**2)

    agree("mopps", curves, formula, missing, target=target, discount=discount)


@given(curves_with_gaps(), gaps)
def test_prioritised_is_1_minus_the_success_rate(curves, missing):
    agree("prioritised", curves, lambda curve: 1 - sum(curve) / len(curve), missing)


def test_mopps_scores_what_its_draws_are_worth_on_average():
    curves = {"a": [0.25, 0.5], "b": [0.0, 0.0], "c": [1.0, 0.5]}
    alpha, beta = posterior(np.array(list(curves.values())), GRAIN, 0.5)
    draws = np.random.default_rng(0).beta(alpha, beta, size=(200_000, 3))
    losses = (draws - 0.5) ** 2
    expected = np.array(list(scores_of("mopps", curves, discount=0.5).values()))
    assert (np.abs(-losses.mean(axis=0) - expected) < 5 * losses.std(axis=0) / np.sqrt(len(draws))).all()


def test_mopps_without_discount_counts_the_right_and_the_wrong():
    alpha, beta = posterior(np.array([[0.25, 0.5]]), 8, 1.0)
    assert (alpha.tolist(), beta.tolist()) == ([1 + 2 + 4], [1 + 6 + 4])


@pytest.mark.parametrize(
    ("method", "curve", "score"),
    [
        ("standard_deviation", [0.0, 0.0, 1.0, 1.0], 0.5),
        ("learnability", [0.0, 0.5, 1.0, 0.5], 0.125),
        ("learnability", [0.0, 0.0, 1.0, 1.0], 0.0),  # never undecided
        ("pass_rate_band", [0.25, 0.75], 0.3),
        ("pass_rate_band", [1.0, 1.0], -0.2),
        ("zero_variance", [0.0, 0.125, 1.0, 0.875], 0.5),
        ("slope", [0.0, 0.25, 0.5], 0.25),
        ("slope", [0.5, 1.0, 0.0, 0.5], -0.1),  # (-1.5 x .5 - .5 x 1 + 0 + 1.5 x .5) / 5
        ("greso", [1.0, 0.5, 0.0, 0.0], 0.25),
        ("greso", [0.0, 0.0, 0.0, 0.5], 1.0),
        ("greso", [0.0, 0.0, 0.0], 0.125),
        ("greso", [0.5, 0.0, 1.0], 0.25),  # all wrong, then all right: neither visit has variance
        ("prioritised", [0.0, 0.25, 0.5], 0.75),
    ],
)
def test_examples_worked_by_hand(method, curve, score):
    assert scores_of(method, {"other": [0.5] * len(curve), "this": curve})["this"] == pytest.approx(score, abs=1e-12)


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        (
            "pass_rate_band",
            {"lowest": 0.8, "highest": 0.2},
            "option lowest: found 0.8, expected less than highest, 0.2",
        ),
        ("pass_rate_band", {"highest": 80}, "option highest: found 80, expected a number from 0 to 1"),
        ("greso", {"exploration": -0.5}, "option exploration: found -0.5, expected a number from 0 to 1"),
        ("mopps", {"target": True}, "option target: found True, expected a number from 0 to 1"),
        ("mopps", {"discount": float("inf")}, "option discount: found inf, expected a number from 0 to 1"),
    ],
)
def test_options_that_make_no_sense_are_refused(method, options, message):
    with pytest.raises(LimrError, match=f"score '{method}': {message}"):
        scores_of(method, {"a": [0.5, 0.5]}, **options)


def test_a_pass_rate_at_an_end_of_the_band_is_in_it_whatever_its_last_digits():
    tenths = [0.1, 0.2, 0.3]
    assert sum(tenths) / 3 > 0.2
    assert scores_of("pass_rate_band", {"a": tenths}, lowest=0.1, highest=0.2) == {"a": 0.0}
