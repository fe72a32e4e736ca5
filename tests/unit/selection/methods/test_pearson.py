"""Pearson: against the correlation of Python's library, and curves that do not move."""

import statistics

from hypothesis import given
from refusals import refused
from some_curves import assert_follows, curves_with_gaps, mean_curve, missing_visits, pool_of, whole_curves

from limr.selection.method import Pool, run_method
from limr.selection.reason import Reason
from limr.trajectories import Trajectories

NO_CORRELATION = Reason("the reward is the same at every visit, so there is no correlation")


@given(curves_with_gaps(lowest_visits=2), missing_visits)
def test_scores_are_the_correlation_with_the_mean_curve(curves, missing):
    mean = mean_curve(whole_curves(curves, missing))
    if max(mean) - min(mean) < 1e-9:  # such a mean curve is refused, see below
        return

    def formula(curve):
        return statistics.correlation(curve, mean) if len(set(curve)) > 1 else None

    assert_follows("pearson", curves, formula, missing, signal="accuracy")
    assert_follows("pearson", curves, formula, missing, signal="reward")  # 2 a - 1 has the same correlation


def test_a_curve_that_does_not_move_has_a_reason():
    curves = {"late": [0.0, 1.0], "never": [0.0, 0.0], "same": [0.5, 0.5]}
    assert run_method("pearson", pool_of(curves), {}).dropped == dict.fromkeys(["never", "same"], NO_CORRELATION)


def test_a_curve_that_moves_only_by_rounding_has_no_correlation():
    sums = [0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1]  # one reward, added in two orders
    assert sums[0] != sums[1]
    trajectories = Trajectories.from_curves(rewards={"same": sums, "rising": [0.0, 1.0]})
    assert run_method("pearson", Pool(["rising", "same"], trajectories, 0), {}).dropped == {"same": NO_CORRELATION}


def test_a_mean_curve_that_does_not_move_is_refused():
    for curve, value in (([1.0, 1.0], 1), ([0.5, 0.5], 0)):
        with refused(where="'pearson' of reward curves", what=f"the mean curve is {value} at every visit"):
            run_method("pearson", pool_of({"a": curve, "b": curve}), {})


def test_a_single_visit_is_refused():
    with refused(where="score 'pearson'", what="only one visit", advice="Train the probe longer"):
        run_method("pearson", pool_of({"a": [0.25], "b": [0.75]}), {})
