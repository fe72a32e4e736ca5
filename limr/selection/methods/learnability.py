"""Learnability, p (1 - p): how undecided a prompt's outcome was.

Source: "Learning to Reason at the Frontier of Learnability", arXiv 2502.12272, which brings sampling for learnability
(Rutherford et al., arXiv 2408.15099) to language models: at each step prompts are tried several times, and training
takes those with the highest p (1 - p), p the share that was solved. Online difficulty filtering (arXiv 2504.03380)
bounds the improvement of a policy from below by the same variance. Both act during training. Here each visit of the
recorded run is such a trial, and a prompt has the mean of its p (1 - p) over all visits. (Not p (1 - p) of the mean
accuracy: a prompt that jumps from never to always solved had a mean of a half, and nothing undecided at any visit.)
"""

from limr.selection.method import Pool, Scores, score_method
from limr.selection.rounding import DECIMALS
from limr.trajectories import visit_matrix


@score_method("learnability", needs_trajectories=True)
def learnability(pool: Pool, *, missing: str = "drop") -> Scores:
    """Score each prompt by its mean p (1 - p) over the visits, p the accuracy of a visit: from 0 to 0.25.

    Option ``missing``: see ``VisitMatrix.without_gaps``.

    >>> from limr.trajectories import Trajectories
    >>> curves = {"even": [0.5, 0.5], "jump": [0.0, 1.0], "rising": [0.25, 1.0]}
    >>> learnability(Pool(sorted(curves), Trajectories.from_curves(accuracies=curves), seed=0)).scores
    {'even': 0.25, 'jump': 0.0, 'rising': 0.09375}
    """
    matrix, dropped = visit_matrix(pool.trajectories, "accuracy").without_gaps(missing)
    scores = (matrix.values * (1 - matrix.values)).mean(axis=1).round(DECIMALS)
    return Scores(dict(zip(matrix.prompt_ids, scores.tolist(), strict=True)), dropped)
