"""Zero variance: at how many visits a prompt taught something at all.

Source: DAPO, arXiv 2503.14476, section 3.2 (dynamic sampling): a group of G responses is trained on only if
0 < number of correct ones < G. Where all are right or all are wrong, every advantage is 0 and so is the gradient.
DAPO draws further prompts until a batch is full of mixed groups. Here the rule is held against every visit of the
recorded run: the score is the share of visits that DAPO would have kept.
"""

from limr.selection.method import Pool, Scores, score_method
from limr.trajectories import visit_matrix


@score_method("zero_variance", needs_trajectories=True)
def zero_variance(pool: Pool, *, missing: str = "drop") -> Scores:
    """Score each prompt by the share of its visits whose samples were neither all right nor all wrong.

    Option ``missing``: see ``VisitMatrix.without_gaps``.

    >>> from limr.trajectories import Trajectories
    >>> curves = {"mixed": [0.5, 0.125], "never": [0.0, 0.0], "rising": [0.5, 1.0]}
    >>> zero_variance(Pool(sorted(curves), Trajectories.from_curves(accuracies=curves), seed=0)).scores
    {'mixed': 1.0, 'never': 0.0, 'rising': 0.5}
    """
    matrix, dropped = visit_matrix(pool.trajectories, "accuracy").without_gaps(missing)
    mixed = (matrix.values > 0) & (matrix.values < 1)
    return Scores(dict(zip(matrix.prompt_ids, mixed.mean(axis=1).tolist(), strict=True)), dropped)
