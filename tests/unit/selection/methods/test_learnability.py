"""Learnability: against its formula in plain Python."""

import numpy as np
import pytest
from hypothesis import given
from some_curves import assert_follows, curves_with_gaps, missing_visits

from limr.selection.methods.learnability import learnability


@given(curves_with_gaps(), missing_visits)
def test_scores_are_the_mean_of_p_times_1_minus_p(curves, missing):
    assert_follows("learnability", curves, lambda curve: sum(p * (1 - p) for p in curve) / len(curve), missing)


@pytest.mark.parametrize(
    ("curve", "score"),
    [([0.0, 0.5, 1.0, 0.5], 0.125), ([0.0, 0.0, 1.0, 1.0], 0.0)],  # the second is never undecided
)
def test_examples_worked_by_hand(curve, score):
    assert learnability(np.array([curve])).tolist() == [score]
