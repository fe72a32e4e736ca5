"""Curves for tests of score methods, written by hand or drawn with gaps, and checks against plain Python formulas."""

from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import strategies as st

from limr.selection.method import Pool, run_method
from limr.trajectories import Trajectories

GRAIN = 8  # accuracies are eighths: 8 samples per visit

Curves = dict[str, list[float | None]]

missing_visits = st.sampled_from(["drop", "next"])  # values of option `missing`


def pool_of(curves: Curves, seed: int = 0) -> Pool:
    """A pool with these accuracies (None: no visit), and rewards 2 a - 1."""
    rows = [
        (prompt_id, epoch, 2 * accuracy - 1, accuracy, GRAIN)
        for prompt_id, curve in curves.items()
        for epoch, accuracy in enumerate(curve)
        if accuracy is not None
    ]
    names = ["prompt_id", "epoch", "mean_reward", "accuracy", "n_samples"]
    return Pool(sorted(curves), Trajectories.from_frame(pl.DataFrame(rows, names, orient="row")), seed)


def scores_of(method: str, curves: Curves, **options: object) -> dict[str, float]:
    """The score of each prompt that has one."""
    return run_method(method, pool_of(curves), options).scores


def assert_follows(
    method: str, curves: Curves, formula: Callable[[list[float]], float | None], missing: str, **options: object
) -> None:
    """Check that each prompt with a complete curve has the score of ``formula``, and that the others have a reason.

    Prompts for which ``formula`` is None must have a reason too. Prompts without any visit must have neither.
    """
    result = run_method(method, pool_of(curves), {"missing": missing, **options})
    expected = {prompt_id: formula(curve) for prompt_id, curve in whole_curves(curves, missing).items()}
    expected = {prompt_id: score for prompt_id, score in expected.items() if score is not None}
    assert result.scores == pytest.approx(expected, abs=1e-12, rel=1e-12)
    has_trajectory = {prompt_id for prompt_id, curve in curves.items() if set(curve) != {None}}
    assert set(result.dropped) == has_trajectory - set(expected)


@st.composite
def curves_with_gaps(draw, lowest_visits: int = 1):
    """20 to 30 prompts over at most 6 visits; at most one prompt in ten has gaps, so that every visit counts."""
    n_prompts, n_visits = draw(st.integers(20, 30)), draw(st.integers(lowest_visits, 6))
    size = n_prompts * n_visits
    drawn = draw(st.binary(min_size=size, max_size=size))  # one byte per visit: a single draw is fast
    shares = [byte % (GRAIN + 1) / GRAIN for byte in drawn]
    curves = {f"p{i:02}": shares[i * n_visits : (i + 1) * n_visits] for i in range(n_prompts)}
    curves["p00"][0] = 0.5  # the mean curve is not 1 at every visit
    for prompt_id in draw(st.lists(st.sampled_from(sorted(curves)[1:]), max_size=2, unique=True)):
        for visit in draw(st.sets(st.integers(0, n_visits - 1), max_size=n_visits)):
            curves[prompt_id][visit] = None
    return curves


def whole_curves(curves: Curves, missing: str) -> dict[str, list[float]]:
    """In plain Python: the curves without gaps. With ``next``, a gap first gets the value of the next visit."""
    whole = {}
    for prompt_id, curve in curves.items():
        filled = list(curve)
        if missing == "next":
            for k in range(len(curve) - 1):
                if curve[k] is None:
                    filled[k] = curve[k + 1]
        if None not in filled:
            whole[prompt_id] = filled
    return whole


def mean_curve(curves: dict[str, list[float]]) -> list[float]:
    """In plain Python: the mean of the curves at each visit."""
    return [sum(values) / len(values) for values in zip(*curves.values(), strict=True)]
