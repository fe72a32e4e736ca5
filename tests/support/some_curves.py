"""Trajectories for tests of score methods: from curves that a person can read, and drawn at random with gaps."""

import polars as pl
from hypothesis import strategies as st

from limr.selection.method import Pool
from limr.trajectories import Trajectories

GRAIN = 8  # accuracies are eighths: 8 samples a visit

Curves = dict[str, list[float | None]]


def pool_of(curves: Curves, seed: int = 0) -> Pool:
    """A pool with the accuracies given (None: no visit), and rewards 2 a - 1."""
    rows = [
        (prompt_id, epoch, 2 * accuracy - 1, accuracy, GRAIN)
        for prompt_id, curve in curves.items()
        for epoch, accuracy in enumerate(curve)
        if accuracy is not None
    ]
    names = ["prompt_id", "epoch", "mean_reward", "accuracy", "n_samples"]
    return Pool(sorted(curves), Trajectories.from_frame(pl.DataFrame(rows, names, orient="row")), seed)


@st.composite
def curves_with_gaps(draw, lowest_visits: int = 1):
    """20 to 30 prompts over at most 6 visits; one prompt in ten at most has gaps, so that every visit counts."""
    n_prompts, n_visits = draw(st.integers(20, 30)), draw(st.integers(lowest_visits, 6))
    drawn = draw(
        st.binary(min_size=n_prompts * n_visits, max_size=n_prompts * n_visits)
    )  # a byte each: one draw, quick
    shares = [byte % (GRAIN + 1) / GRAIN for byte in drawn]
    curves = {f"p{i:02}": shares[i * n_visits : (i + 1) * n_visits] for i in range(n_prompts)}
    curves["p00"][0] = 0.5  # the mean curve is not 1 at every visit
    for prompt_id in draw(st.lists(st.sampled_from(sorted(curves)[1:]), max_size=2, unique=True)):
        for visit in draw(st.sets(st.integers(0, n_visits - 1), max_size=n_visits)):
            curves[prompt_id][visit] = None
    return curves


def whole_curves(curves: Curves, missing: str) -> dict[str, list[float]]:
    """In plain Python: the curves without gaps, after each gap has the value of the next visit if ``next``."""
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
