"""GRESO: how likely the prompt would be tried again, after the groups without variance that it ended with.

Source: "Act Only When It Pays: Efficient Reinforcement Learning for LLM Reasoning via Selective Rollouts", arXiv
2506.02177 (probabilistic pre-rollout filtering): before a prompt is tried in the next epoch, it is skipped with
probability 1 - p_e ^ z, z the number of visits in a row, up to the last, whose samples all earned the same. p_e, the
base exploration probability, starts at 0.5 in the released code (verl/trainer/ttis/presampling_selector.py), and is
then moved by 0.01 a step, one for prompts too easy and one for those too hard, to hold their shares of a batch. Here
the rule is asked once, after the last recorded visit, with p_e as it starts: the score is p_e ^ z, the probability of
not being skipped. "Earned the same" is: all right or all wrong. The released code counts only visits of the kind that
the last one is, and skips nobody with more than 0.99; the formula does neither, and neither do we.
"""

import numpy as np

from limr.selection.method import Pool, Scores, score_method
from limr.selection.rounding import check_option
from limr.trajectories import visit_matrix


@score_method("greso", needs_trajectories=True)
def greso(pool: Pool, *, exploration: float = 0.5, missing: str = "drop") -> Scores:
    """Score each prompt by the probability that GRESO would try it once more after the last visit: 1 or less.

    exploration ^ z, z the number of visits in a row, up to the last, whose samples were all right or all wrong. Many
    prompts tie: choose by theta, or know that `top` breaks ties by prompt_id. Options: ``exploration``, the base
    exploration probability, and ``missing`` (see ``VisitMatrix.without_gaps``).

    >>> from limr.trajectories import Trajectories
    >>> curves = {"mixed": [1.0, 0.5, 0.5], "never": [0.0, 0.0, 0.0], "learned": [0.0, 0.5, 1.0]}
    >>> greso(Pool(sorted(curves), Trajectories.from_curves(accuracies=curves), seed=0)).scores
    {'learned': 0.5, 'mixed': 1.0, 'never': 0.125}
    """
    check_option("greso", "exploration", exploration, 0, 1)
    matrix, dropped = visit_matrix(pool.trajectories, "accuracy").without_gaps(missing)
    mixed = (matrix.values > 0) & (matrix.values < 1)
    last_first = mixed[:, ::-1]
    streak = np.where(mixed.any(axis=1), last_first.argmax(axis=1), mixed.shape[1])
    scores = np.power(float(exploration), streak)
    return Scores(dict(zip(matrix.prompt_ids, scores.tolist(), strict=True)), dropped)
