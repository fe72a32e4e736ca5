"""Zero variance: against its formula in plain Python."""

import numpy as np
from hypothesis import given
from some_curves import GRAIN, assert_follows, curves_with_gaps, missing_visits

from limr.selection.methods.zero_variance import zero_variance


@given(curves_with_gaps(), missing_visits)
def test_scores_are_the_share_of_visits_with_correct_and_wrong_samples(curves, missing):
    def formula(curve):
        return sum(0 < round(GRAIN * accuracy) < GRAIN for accuracy in curve) / len(curve)

    assert_follows("zero_variance", curves, formula, missing)


def test_an_example_worked_by_hand():
    assert zero_variance(np.array([[0.0, 0.125, 1.0, 0.875]])).tolist() == [0.5]
