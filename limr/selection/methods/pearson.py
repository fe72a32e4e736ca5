"""Pearson: how well a prompt's curve correlates with the mean curve of all prompts.

Source: Pearson's correlation; some descriptions of LIM (arXiv 2502.11886, section 2) have it in place of the paper's
formula. Unlike LIM it does not see how high a curve lies or how much it rises, only when it rises and falls.
"""

import numpy as np

from limr.errors import LimrError
from limr.selection.method import Pool, Scores, score_method
from limr.selection.methods.cosine import cosines
from limr.selection.rounding import ROUNDING
from limr.trajectories import visit_matrix


@score_method("pearson", needs_trajectories=True)
def pearson(pool: Pool, *, signal: str = "reward", missing: str = "drop") -> Scores:
    """Score each prompt by Pearson's correlation between its curve and the mean curve: from -1 to 1.

    The cosine of the two curves less their means over the visits; the mean curve is taken over the prompts whose curve
    is whole. Options: ``signal`` (``reward`` or ``accuracy``) and ``missing`` (see ``VisitMatrix.without_gaps``). A
    curve that is the same at every visit has no correlation, and no score.

    Raises LimrError when there is one visit only, or the mean curve is the same at every visit.

    >>> from limr.trajectories import Trajectories
    >>> curves = {"falling": [0.5, 0.0], "late": [0.0, 1.0], "solved": [1.0, 1.0]}
    >>> scored = pearson(Pool(sorted(curves), Trajectories.from_curves(accuracies=curves), seed=0), signal="accuracy")
    >>> {name: round(score, 3) for name, score in scored.scores.items()}, scored.dropped
    ({'falling': -1.0, 'late': 1.0}, {'solved': 'the same accuracy at every visit: no correlation'})
    """
    matrix, dropped = visit_matrix(pool.trajectories, signal).without_gaps(missing)
    if matrix.values.shape[1] < 2:
        raise LimrError("score 'pearson': there is one visit only, and a correlation needs two: train the probe longer")
    curve = matrix.values.mean(axis=0)
    same = ROUNDING * np.abs(matrix.values).max()
    if np.ptp(curve) <= same:
        raise LimrError(
            f"score 'pearson': the mean {signal} is {curve[0]:g} at every visit: there is nothing to correlate with"
        )
    varies = np.ptp(matrix.values, axis=1) > same
    values = matrix.values[varies]
    scores = cosines(values - values.mean(axis=1, keepdims=True), curve - curve.mean())
    names = np.array(matrix.prompt_ids, dtype=object)
    reason = f"the same {signal} at every visit: no correlation"
    return Scores(
        dict(zip(names[varies], scores.tolist(), strict=True)),
        dropped | dict.fromkeys(names[~varies], reason),
    )
