"""Cosine: against its formula in plain Python, and curves without a direction."""

import math

from hypothesis import given
from refusals import refused
from some_curves import assert_follows, curves_with_gaps, mean_curve, missing_visits, pool_of, whole_curves

from limr.selection.method import run_method
from limr.selection.reason import Reason


@given(curves_with_gaps(), missing_visits)
def test_scores_are_the_cosine_with_the_mean_curve(curves, missing):
    mean = mean_curve(whole_curves(curves, missing))

    def formula(curve):
        size = math.hypot(*curve) * math.hypot(*mean)
        return sum(a * b for a, b in zip(curve, mean, strict=True)) / size if any(curve) else None

    assert_follows("cosine", curves, formula, missing, signal="accuracy")


def test_a_curve_without_a_direction_has_a_reason():
    curves = {"late": [0.0, 1.0], "never": [0.0, 0.0], "same": [0.5, 0.5]}
    found = run_method("cosine", pool_of(curves), {"signal": "accuracy"})
    assert found.dropped == {"never": Reason("the accuracy is 0 at every visit, so there is no direction")}
    assert set(found.scores) == {"late", "same"}


def test_a_mean_curve_without_a_direction_is_refused():
    what = "the mean curve is 0 at every visit, so there is no direction"
    with refused(where="score 'cosine' of accuracy curves", what=what):
        run_method("cosine", pool_of({"a": [0.0, 0.0], "b": [0.0, 0.0]}), {"signal": "accuracy"})
    with refused(where="score 'cosine' of reward curves", what=what):
        run_method("cosine", pool_of({"a": [0.25, 0.25], "b": [0.75, 0.75]}), {})
