"""Zero variance: the share of a prompt's visits with both correct and wrong responses.

Source: DAPO, arXiv 2503.14476, section 3.2 (dynamic sampling). DAPO trains on a group of G responses only if
0 < number of correct ones < G. Its advantages, like GRPO's, are differences from the group's mean reward: where all are
correct or all are wrong, every advantage is 0 and so is DAPO's gradient. DAPO draws further prompts until a batch is
full of mixed groups. PPO with a critic, as in the paper and in this project, is different: its advantages are
differences from the critic's values, so a group without variance gives a gradient too.

Here the rule is applied to every visit of the recorded run: the score is the share of visits that DAPO would have kept.
"""

import numpy as np

from limr.selection.method import score_method


@score_method("zero_variance", signals=("accuracy",))
def zero_variance(values: np.ndarray) -> np.ndarray:
    """Score each prompt by the share of its visits with both correct and wrong samples.

    >>> zero_variance(np.array([[0.5, 0.125], [0.0, 0.0], [0.5, 1.0]])).tolist()
    [1.0, 0.0, 0.5]
    """
    mixed = (values > 0) & (values < 1)
    return mixed.mean(axis=1)
