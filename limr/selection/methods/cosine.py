"""Cosine: whether a prompt's curve points in the direction of the mean curve of all prompts.

Source: some descriptions of LIM (arXiv 2502.11886, section 2) call it a cosine similarity of the two curves. The
paper's formula is a different one (see lim.py), so this is a separate method. It depends on the shape of a curve, not
on its size. Accuracies are never negative, so prompts that are solved most of the time have scores close to 1.
"""

import numpy as np

from limr.errors import LimrError
from limr.selection.method import score_method
from limr.selection.rounding import DECIMALS, ROUNDING


@score_method(
    "cosine", signals=("reward", "accuracy"), nan_means="the {signal} is 0 at every visit, so there is no direction"
)
def cosine(values: np.ndarray) -> np.ndarray:
    """Score each prompt by the cosine between its curve and the mean curve: from -1 to 1.

    r_i . c / (|r_i| |c|), where r_i is the prompt's curve and c the mean over the prompts that have every visit. A
    curve that is 0 at every visit has no direction, and no score.

    Raises LimrError when the mean curve is 0 at every visit.

    >>> cosine(np.array([[0.0, 1.0], [0.0, 0.0], [1.0, 1.0]])).round(3).tolist()
    [0.894, nan, 0.949]
    """
    curve = values.mean(axis=0)
    zero = ROUNDING * np.abs(values).max()
    if np.abs(curve).max() <= zero:
        raise LimrError("the mean curve is 0 at every visit, so there is no direction to compare with")
    has_direction = np.abs(values).max(axis=1) > zero
    scores = np.full(len(values), np.nan)
    scores[has_direction] = cosines(values[has_direction], curve)
    return scores


def cosines(values: np.ndarray, curve: np.ndarray) -> np.ndarray:
    """The cosine between each row of ``values`` (prompts x visits) and ``curve`` (visits); no row may be all 0.

    >>> cosines(np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([2.0, 0.0])).tolist()
    [1.0, -1.0]
    """
    sizes = np.sqrt((values**2).sum(axis=1) * (curve**2).sum())
    return ((values * curve).sum(axis=1) / sizes).round(DECIMALS)  # without rounding, the cosine could exceed 1
