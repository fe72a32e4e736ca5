"""Prioritised: the weakest prompts first.

Source: Kimi k1.5, arXiv 2501.12599, section 2.3.4 (prioritised sampling). It tracks the success rate s_i of each
problem during training, and draws problems in proportion to 1 - s_i. Here s_i is the mean accuracy over all recorded
visits, and 1 - s_i is the score: a ranking instead of a draw. Prompts that were never solved come first, including
prompts with a wrong gold answer: look at some before you train on them.
"""

import numpy as np

from limr.selection.method import score_method
from limr.selection.rounding import DECIMALS


@score_method("prioritised", signals=("accuracy",))
def prioritised(values: np.ndarray) -> np.ndarray:
    """Score each prompt by 1 - its success rate: never solved is 1, always solved 0.

    The success rate is the mean accuracy over the visits.

    >>> prioritised(np.array([[0.0, 0.25], [0.0, 0.0], [1.0, 1.0]])).tolist()
    [0.875, 1.0, 0.0]
    """
    return (1 - values.mean(axis=1)).round(DECIMALS)
