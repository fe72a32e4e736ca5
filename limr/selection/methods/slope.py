"""Slope: how fast a prompt improved over training.

Source: Teacher-Student Curriculum Learning, arXiv 1707.00183. It chooses tasks by the slope of their learning curve,
which one of its algorithms fits by linear regression over a window of the last scores. There the absolute slope counts,
so forgotten tasks are practised again, and the rule acts during training. Here the line is fitted to all recorded
visits and the sign counts: a prompt that got worse scores lower than one that did not change.
"""

import numpy as np

from limr.errors import LimrError
from limr.selection.method import score_method
from limr.selection.rounding import DECIMALS


@score_method("slope", signals=("accuracy", "reward"))
def slope(values: np.ndarray) -> np.ndarray:
    """Score each prompt by the slope of the least-squares line through its curve: accuracy gained per visit.

    sum_k (k - m) r_i^k / sum_k (k - m)^2, where m is the mean of k = 0, 1, ...

    Raises LimrError when there is only one visit.

    >>> slope(np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 1.0], [1.0, 1.0, 1.0]])).tolist()
    [-0.25, 0.5, 0.0]
    """
    n_visits = values.shape[1]
    if n_visits < 2:
        raise LimrError("there is only one visit, and a line needs two", advice="Train the probe longer.")
    centred = np.arange(n_visits) - (n_visits - 1) / 2
    rise = values - values[:, :1]  # makes the score of a constant curve exactly 0, without rounding errors
    return ((rise * centred).sum(axis=1) / (centred**2).sum()).round(DECIMALS)
