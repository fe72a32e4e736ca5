"""LINEAR: against its formula in plain Python."""

from hypothesis import given
from refusals import refused
from some_curves import assert_follows, curves_with_gaps, missing_visits, pool_of

from limr.selection.method import run_method


@given(curves_with_gaps(lowest_visits=2), missing_visits)
def test_scores_are_the_alignment_with_the_line_from_0_to_1(curves, missing):
    n_visits = len(curves["p00"])
    line = [k / (n_visits - 1) for k in range(n_visits)]

    def formula(curve):
        above = sum((accuracy - goal) ** 2 for accuracy, goal in zip(curve, line, strict=True))
        return 1 - above / sum((1 - goal) ** 2 for goal in line)

    assert_follows("linear", curves, formula, missing)


def test_a_single_visit_is_refused():
    with refused(where="score 'linear' of accuracy curves", what="only one visit", advice="Train the probe longer"):
        run_method("linear", pool_of({"a": [0.5]}), {})
