"""GRESO: how likely the prompt would be tried again, given the visits without variance at the end of its curve.

Source: "Act Only When It Pays: Efficient Reinforcement Learning for LLM Reasoning via Selective Rollouts", arXiv
2506.02177 (probabilistic pre-rollout filtering). Before a prompt is tried in the next epoch, it is skipped with
probability 1 - p_e ^ z. Here z counts the consecutive visits, up to the last one, in which all samples earned the same
reward. p_e, the base exploration probability, starts at 0.5 in the released code (verl/trainer/ttis/
presampling_selector.py). The code then moves it by 0.01 per step, to keep the shares of skipped prompts in a batch. It
has one p_e for prompts that are too easy and one for prompts that are too hard.

Here the rule is applied once, after the last recorded visit, with the initial p_e. The score is p_e ^ z, the
probability of not being skipped. "The same reward" means all correct or all wrong. The released code counts only
visits of the same kind as the last one, and limits the skip probability to 0.99. This method follows the formula,
which does neither.
"""

import numpy as np

from limr.selection.method import score_method
from limr.selection.options import Share


@score_method("greso", signals=("accuracy",))
def greso(values: np.ndarray, *, exploration: Share = 0.5) -> np.ndarray:
    """Score each prompt by the probability that GRESO would try it once more after the last visit: 1 or less.

    exploration ^ z, where z counts the consecutive visits, up to the last one, in which all samples were correct or all
    were wrong. Option ``exploration`` is the base exploration probability. Many prompts tie: select by theta, or accept
    that the seed decides between them.

    >>> greso(np.array([[0.0, 0.5, 1.0], [1.0, 0.5, 0.5], [0.0, 0.0, 0.0]])).tolist()
    [0.5, 1.0, 0.125]
    """
    mixed = (values > 0) & (values < 1)
    last_first = mixed[:, ::-1]
    # argmax is the index of the first True, which is the number of visits without variance at the end of the curve
    streak = np.where(mixed.any(axis=1), last_first.argmax(axis=1), mixed.shape[1])
    return np.power(float(exploration), streak)
