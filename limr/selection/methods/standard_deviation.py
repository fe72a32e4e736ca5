"""Standard deviation: how much a prompt's accuracy moved over training.

Source: One-Shot-RLVR, arXiv 2504.20571, section 2, equations 1 and 2 ("historical variance score"): after some epochs
of training on all prompts, rank prompt i by the variance of its accuracies s_i1, ..., s_iE. The released code
(data/data_selection.py) takes their standard deviation (NumPy's, divided by E), which ranks alike. The method is meant
for recorded trajectories, as here. The paper's own ranking uses all visits of each prompt, however many it has (44 to
57 in the released file); here every prompt has the same visits, so ranks close to each other can change places.
"""

from limr.selection.method import Pool, Scores, score_method
from limr.trajectories import visit_matrix


@score_method("standard_deviation", needs_trajectories=True)
def standard_deviation(pool: Pool, *, signal: str = "accuracy", missing: str = "drop") -> Scores:
    """Score each prompt by the standard deviation of its curve over the visits; One-Shot-RLVR trains on the top one.

    sqrt(mean_k (s_i^k - mean_k s_i^k)^2). Options: ``signal`` (``accuracy``, as in the paper, or ``reward``) and
    ``missing`` (see ``VisitMatrix.without_gaps``).

    >>> from limr.trajectories import Trajectories
    >>> curves = {"late": [0.0, 1.0], "never": [0.0, 0.0], "shaky": [0.5, 0.25]}
    >>> standard_deviation(Pool(sorted(curves), Trajectories.from_curves(accuracies=curves), seed=0)).scores
    {'late': 0.5, 'never': 0.0, 'shaky': 0.125}
    """
    matrix, dropped = visit_matrix(pool.trajectories, signal).without_gaps(missing)
    moved = matrix.values - matrix.values[:, :1]  # so that a curve without movement has 0, not its mean's rounding
    return Scores(dict(zip(matrix.prompt_ids, moved.std(axis=1).tolist(), strict=True)), dropped)
