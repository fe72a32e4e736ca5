"""GRESO: against its formula in plain Python."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused
from some_curves import assert_follows, curves_with_gaps, missing_visits, scores_of

from limr.selection.methods.greso import greso


@given(curves_with_gaps(), missing_visits, st.sampled_from([0.5, 0.9, 0.0, 1.0]))
def test_scores_fall_with_the_visits_without_variance_at_the_end_of_the_curve(curves, missing, exploration):
    def formula(curve):
        streak = 0
        while streak < len(curve) and curve[-1 - streak] in (0, 1):
            streak += 1
        skipped = 1 - exploration**streak
        return 1 - skipped

    assert_follows("greso", curves, formula, missing, exploration=exploration)


@pytest.mark.parametrize(
    ("curve", "score"),
    [
        ([1.0, 0.5, 0.0, 0.0], 0.25),
        ([0.0, 0.0, 0.0, 0.5], 1.0),
        ([0.0, 0.0, 0.0], 0.125),
        ([0.5, 0.0, 1.0], 0.25),  # all wrong, then all correct: neither visit has variance
    ],
)
def test_examples_worked_by_hand(curve, score):
    assert greso(np.array([curve])).tolist() == [score]


def test_a_negative_exploration_is_refused():
    with refused(where=("'greso'", "option exploration"), found="-0.5", expected="a number from 0 to 1"):
        scores_of("greso", {"a": [0.5, 0.5]}, exploration=-0.5)
