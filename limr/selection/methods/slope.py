"""Slope: how fast a prompt improved over training.

Source: Teacher-Student Curriculum Learning, arXiv 1707.00183: tasks are practised by the slope of their learning curve,
in one of its algorithms fitted by linear regression over a window of the last scores; its size counts, so that what
is being forgotten is practised too. There it acts during training. Here the line is fitted to all recorded visits, and
its sign counts: a prompt that got worse scores below one that stayed as it was.
"""

import numpy as np

from limr.errors import LimrError
from limr.selection.method import Pool, Scores, score_method
from limr.trajectories import visit_matrix


@score_method("slope", needs_trajectories=True)
def slope(pool: Pool, *, signal: str = "accuracy", missing: str = "drop") -> Scores:
    """Score each prompt by the slope of the least-squares line through its curve: accuracy gained a visit.

    sum_k (k - m) r_i^k / sum_k (k - m)^2, m the mean of k = 0, 1, ... Options: ``signal`` (``accuracy`` or ``reward``)
    and ``missing`` (see ``VisitMatrix.without_gaps``).

    Raises LimrError when there is one visit only.

    >>> from limr.trajectories import Trajectories
    >>> curves = {"falling": [0.5, 0.5, 0.0], "rising": [0.0, 0.5, 1.0], "solved": [1.0, 1.0, 1.0]}
    >>> slope(Pool(sorted(curves), Trajectories.from_curves(accuracies=curves), seed=0)).scores
    {'falling': -0.25, 'rising': 0.5, 'solved': 0.0}
    """
    matrix, dropped = visit_matrix(pool.trajectories, signal).without_gaps(missing)
    n_visits = matrix.values.shape[1]
    if n_visits < 2:
        raise LimrError("score 'slope': there is one visit only, and a line needs two: train the probe longer")
    centred = np.arange(n_visits) - (n_visits - 1) / 2
    rise = matrix.values - matrix.values[:, :1]  # so that a curve without movement has 0, not its rounding
    scores = (rise * centred).sum(axis=1) / (centred**2).sum()
    return Scores(dict(zip(matrix.prompt_ids, scores.tolist(), strict=True)), dropped)
