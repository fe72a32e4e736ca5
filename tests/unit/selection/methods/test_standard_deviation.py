"""Standard deviation: against that of Python's library, and exactly 0 for a curve that does not move."""

import statistics

import numpy as np
import pytest
from hypothesis import given
from some_curves import assert_follows, curves_with_gaps, missing_visits

from limr.selection.methods.standard_deviation import standard_deviation


@given(curves_with_gaps(), missing_visits)
def test_scores_are_the_standard_deviation_of_the_curve(curves, missing):
    assert_follows("standard_deviation", curves, statistics.pstdev, missing)


def test_an_example_worked_by_hand():
    assert standard_deviation(np.array([[0.0, 0.0, 1.0, 1.0]])).tolist() == [0.5]


def test_a_curve_that_does_not_move_has_exactly_0():
    assert np.std([0.1] * 7) != 0, "NumPy alone rounds"
    assert standard_deviation(np.array([[0.1] * 7])).tolist() == [0.0]


def test_a_curve_that_moves_only_by_rounding_has_almost_0():
    sums = [0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1]  # one reward, added in two orders
    assert standard_deviation(np.array([sums]))[0] == pytest.approx(0, abs=1e-15)
