"""Prioritised: against its formula in plain Python."""

import numpy as np
from hypothesis import given
from some_curves import assert_follows, curves_with_gaps, missing_visits

from limr.selection.methods.prioritised import prioritised


@given(curves_with_gaps(), missing_visits)
def test_scores_are_1_minus_the_success_rate(curves, missing):
    assert_follows("prioritised", curves, lambda curve: 1 - sum(curve) / len(curve), missing)


def test_an_example_worked_by_hand():
    assert prioritised(np.array([[0.0, 0.25, 0.5]])).tolist() == [0.75]
