"""LINEAR: how closely a prompt's accuracy follows a straight line from 0 to 1.

Source: the paper (arXiv 2502.11886, section 2) compares with prompts that improve steadily, kept at a threshold of 0.7,
and gives no formula. This one is the project's: LIM's alignment score with the mean curve replaced by the line.
"""

import numpy as np

from limr.errors import LimrError
from limr.selection.method import Pool, Scores, score_method
from limr.selection.methods.lim import alignment
from limr.trajectories import visit_matrix


@score_method("linear", needs_trajectories=True)
def linear(pool: Pool, *, missing: str = "drop") -> Scores:
    """Score each prompt by its alignment with the line that runs from 0 at the first visit to 1 at the last.

    Option ``missing``: see ``VisitMatrix.without_gaps``. Raises LimrError when there are fewer than two visits.

    >>> from limr.trajectories import Trajectories
    >>> curves = {"early": [0.5, 1.0, 1.0], "steady": [0.0, 0.5, 1.0]}
    >>> linear(Pool(sorted(curves), Trajectories.from_curves(accuracies=curves), seed=0)).scores
    {'early': 0.6, 'steady': 1.0}
    """
    matrix, dropped = visit_matrix(pool.trajectories, "accuracy").without_gaps(missing)
    n_visits = matrix.values.shape[1]
    if n_visits < 2:
        raise LimrError("score 'linear': there is one visit only, and a line needs two: train the probe longer")
    line = np.linspace(0, 1, n_visits)
    return Scores(dict(zip(matrix.prompt_ids, alignment(matrix.values, line).tolist(), strict=True)), dropped)
