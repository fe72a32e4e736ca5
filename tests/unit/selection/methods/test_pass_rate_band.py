"""Pass-rate band: against its formula in plain Python, and which pass rates are in the band."""

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused
from some_curves import GRAIN, assert_follows, curves_with_gaps, missing_visits, scores_of, whole_curves

from limr.selection.methods.pass_rate_band import pass_rate_band


@given(curves_with_gaps(), missing_visits, st.sampled_from([(0.2, 0.8), (0, 1), (0.3, 0.5)]))
def test_scores_are_the_distance_to_the_nearer_end_of_the_band(curves, missing, band):
    lowest, highest = band

    def formula(curve):
        rate = statistics.fmean(curve)
        return min(rate - lowest, highest - rate)

    assert_follows("pass_rate_band", curves, formula, missing, lowest=lowest, highest=highest)


@given(curves_with_gaps(), st.integers(1, 15), st.integers(1, 15))
def test_theta_0_keeps_exactly_the_pass_rates_in_the_band(curves, first, second):
    lowest, highest = sorted({first / 16, second / 16, 1.0})[:2]
    scores = scores_of("pass_rate_band", curves, lowest=lowest, highest=highest)
    for prompt_id, curve in whole_curves(curves, "drop").items():
        correct = sum(round(GRAIN * accuracy) for accuracy in curve)  # whole numbers are not rounded
        in_band = lowest * GRAIN * len(curve) <= correct <= highest * GRAIN * len(curve)
        assert (scores[prompt_id] >= 0) == in_band


def test_a_pass_rate_at_an_end_of_the_band_is_inside_despite_rounding_errors():
    tenths = [0.1, 0.2, 0.3]
    assert sum(tenths) / 3 > 0.2
    assert pass_rate_band(np.array([tenths]), lowest=0.1, highest=0.2).tolist() == [0.0]


@pytest.mark.parametrize(("curve", "score"), [([0.25, 0.75], 0.3), ([1.0, 1.0], -0.2)])
def test_examples_worked_by_hand(curve, score):
    assert pass_rate_band(np.array([curve])).tolist() == [score]


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (
            {"lowest": 0.8, "highest": 0.2},
            {"where": "option lowest", "found": "0.8", "expected": "less than highest, 0.2"},
        ),
        ({"highest": 80}, {"where": "option highest", "found": "80", "expected": "a number from 0 to 1"}),
    ],
)
def test_an_impossible_band_is_refused(options, parts):
    with refused(**parts) as caught:
        scores_of("pass_rate_band", {"a": [0.5, 0.5]}, **options)
    assert "score 'pass_rate_band'" in caught.value.where[0]
