"""Prioritised: the weakest prompts first.

Source: Kimi k1.5, arXiv 2501.12599, section 2.3.4 (prioritised sampling): the success rate s_i of each problem is
tracked during training, and problems are drawn in proportion to 1 - s_i. Here s_i is the mean accuracy over all
recorded visits, and 1 - s_i is the score: a ranking in place of a draw. Prompts that were never solved come first,
and among them those whose gold answer is wrong: look at some before training on them.
"""

from limr.selection.method import Pool, Scores, score_method
from limr.selection.rounding import DECIMALS
from limr.trajectories import visit_matrix


@score_method("prioritised", needs_trajectories=True)
def prioritised(pool: Pool, *, missing: str = "drop") -> Scores:
    """Score each prompt by 1 - its success rate: never solved is 1, always solved 0.

    The success rate is the mean accuracy over the visits. Option ``missing``: see ``VisitMatrix.without_gaps``.

    >>> from limr.trajectories import Trajectories
    >>> curves = {"hard": [0.0, 0.25], "never": [0.0, 0.0], "solved": [1.0, 1.0]}
    >>> prioritised(Pool(sorted(curves), Trajectories.from_curves(accuracies=curves), seed=0)).scores
    {'hard': 0.875, 'never': 1.0, 'solved': 0.0}
    """
    matrix, dropped = visit_matrix(pool.trajectories, "accuracy").without_gaps(missing)
    scores = (1 - matrix.values.mean(axis=1)).round(DECIMALS)
    return Scores(dict(zip(matrix.prompt_ids, scores.tolist(), strict=True)), dropped)
