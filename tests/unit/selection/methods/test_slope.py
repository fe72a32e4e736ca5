"""Slope: against the linear regression of Python's library, and exactly 0 for a curve that does not move."""

import statistics

import numpy as np
import pytest
from hypothesis import given
from refusals import refused
from some_curves import assert_follows, curves_with_gaps, missing_visits, scores_of

from limr.selection.methods.slope import slope


@given(curves_with_gaps(lowest_visits=2), missing_visits)
def test_scores_are_the_slope_of_the_least_squares_line(curves, missing):
    assert_follows("slope", curves, lambda curve: statistics.linear_regression(range(len(curve)), curve).slope, missing)


@pytest.mark.parametrize(
    ("curve", "score"),
    [([0.0, 0.25, 0.5], 0.25), ([0.5, 1.0, 0.0, 0.5], -0.1)],  # (-1.5 x .5 - .5 x 1 + 0 + 1.5 x .5) / 5
)
def test_examples_worked_by_hand(curve, score):
    assert slope(np.array([curve]))[0] == pytest.approx(score, abs=1e-12)


def test_a_curve_that_does_not_move_has_exactly_0():
    assert slope(np.array([[0.1] * 7])).tolist() == [0.0]


def test_a_curve_that_moves_only_by_rounding_has_almost_0():
    sums = [0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1]  # one reward, added in two orders
    assert slope(np.array([sums]))[0] == pytest.approx(0, abs=1e-15)


def test_a_single_visit_is_refused():
    with refused(where="score 'slope' of accuracy curves", what="only one visit", advice="Train the probe longer"):
        scores_of("slope", {"a": [0.25], "b": [0.75]})
