"""Pearson: how well a prompt's curve correlates with the mean curve of all prompts.

Source: Pearson's correlation. Some descriptions of LIM (arXiv 2502.11886, section 2) use it instead of the paper's
formula. Unlike LIM it ignores the level of a curve and how much it rises; only when the curve rises and falls counts.
"""

import numpy as np

from limr.errors import LimrError
from limr.selection.method import score_method
from limr.selection.methods.cosine import cosines
from limr.selection.rounding import ROUNDING


@score_method(
    "pearson",
    signals=("reward", "accuracy"),
    nan_means="the {signal} is the same at every visit, so there is no correlation",
)
def pearson(values: np.ndarray) -> np.ndarray:
    """Score each prompt by Pearson's correlation between its curve and the mean curve: from -1 to 1.

    This is the cosine of the two curves, each minus its mean over the visits. The mean curve is taken over the
    prompts that have every visit. A curve that is the same at every visit has no correlation, and no score.

    Raises LimrError when there is only one visit, or when the mean curve is the same at every visit.

    >>> pearson(np.array([[0.5, 0.0], [0.0, 1.0], [1.0, 1.0]])).round(3).tolist()
    [-1.0, 1.0, nan]
    """
    if values.shape[1] < 2:
        raise LimrError("there is only one visit, and a correlation needs two", advice="Train the probe longer.")
    curve = values.mean(axis=0)
    same = ROUNDING * np.abs(values).max()  # a curve with at most this range counts as constant
    if np.ptp(curve) <= same:
        raise LimrError(f"the mean curve is {curve[0]:g} at every visit, so there is nothing to correlate with")
    varies = np.ptp(values, axis=1) > same
    moving = values[varies]
    scores = np.full(len(values), np.nan)
    scores[varies] = cosines(moving - moving.mean(axis=1, keepdims=True), curve - curve.mean())
    return scores
