"""Cosine: whether a prompt's curve points where the mean curve of all prompts points.

Source: some descriptions of LIM (arXiv 2502.11886, section 2) have it as a cosine similarity of the two curves. The
paper's formula is another one (see lim.py), so this is a method beside it. It sees the shape of a curve, not its size:
of accuracies, which are never negative, any curve that is solved most of the time lies close to the mean curve.
"""

import numpy as np

from limr.errors import LimrError
from limr.selection.method import Pool, Scores, score_method
from limr.selection.rounding import ROUNDING
from limr.trajectories import visit_matrix


@score_method("cosine", needs_trajectories=True)
def cosine(pool: Pool, *, signal: str = "reward", missing: str = "drop") -> Scores:
    """Score each prompt by the cosine between its curve and the mean curve: from -1 to 1.

    r_i . c / (|r_i| |c|), r_i the prompt's curve and c the mean over the prompts whose curve is whole. Options:
    ``signal`` (``reward`` or ``accuracy``) and ``missing`` (see ``VisitMatrix.without_gaps``). A curve that is 0 at
    every visit has no direction, and no score.

    Raises LimrError when the mean curve is 0 at every visit.

    >>> from limr.trajectories import Trajectories
    >>> curves = {"late": [0.0, 1.0], "never": [0.0, 0.0], "solved": [1.0, 1.0]}
    >>> scored = cosine(Pool(sorted(curves), Trajectories.from_curves(accuracies=curves), seed=0), signal="accuracy")
    >>> {name: round(score, 3) for name, score in scored.scores.items()}, scored.dropped
    ({'late': 0.894, 'solved': 0.949}, {'never': 'zero accuracy at every visit: no direction'})
    """
    matrix, dropped = visit_matrix(pool.trajectories, signal).without_gaps(missing)
    curve = matrix.values.mean(axis=0)
    zero = ROUNDING * np.abs(matrix.values).max()
    if np.abs(curve).max() <= zero:
        raise LimrError(f"score 'cosine': the mean {signal} is 0 at every visit: there is no direction to compare with")
    has_direction = np.abs(matrix.values).max(axis=1) > zero
    scores = cosines(matrix.values[has_direction], curve)
    names = np.array(matrix.prompt_ids, dtype=object)
    reason = f"zero {signal} at every visit: no direction"
    return Scores(
        dict(zip(names[has_direction], scores.tolist(), strict=True)),
        dropped | dict.fromkeys(names[~has_direction], reason),
    )


def cosines(values: np.ndarray, curve: np.ndarray) -> np.ndarray:
    """The cosine between each row of ``values`` (prompts x visits) and ``curve`` (visits); none of them is all 0.

    >>> cosines(np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([2.0, 0.0])).tolist()
    [1.0, -1.0]
    """
    sizes = np.sqrt((values**2).sum(axis=1) * (curve**2).sum())
    return np.clip((values * curve).sum(axis=1) / sizes, -1, 1)  # rounding alone can make it exceed 1
