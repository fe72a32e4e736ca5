"""Standard deviation: how much a prompt's accuracy changed over training.

Source: One-Shot-RLVR, arXiv 2504.20571, section 2, equations 1 and 2 ("historical variance score"). After some epochs
of training on all prompts, it ranks prompt i by the variance of its accuracies s_i1, ..., s_iE. The released code
(data/data_selection.py) takes their standard deviation (NumPy's, divided by E), which gives the same ranking. The
method is meant for recorded trajectories, as here. The paper's ranking uses all visits of each prompt (44 to 57 in the
released file). Here every prompt has the same visits, so ranks close to each other can change places.
"""

import numpy as np

from limr.selection.method import score_method
from limr.selection.rounding import DECIMALS


@score_method("standard_deviation", signals=("accuracy", "reward"))
def standard_deviation(values: np.ndarray) -> np.ndarray:
    """Score each prompt by the standard deviation of its curve over the visits; One-Shot-RLVR trains on the best one.

    sqrt(mean_k (s_i^k - mean_k s_i^k)^2). The paper uses the accuracy.

    >>> standard_deviation(np.array([[0.0, 1.0], [0.0, 0.0], [0.5, 0.25]])).tolist()
    [0.5, 0.0, 0.125]
    """
    moved = values - values[:, :1]  # makes the score of a constant curve exactly 0, without rounding errors
    return moved.std(axis=1).round(DECIMALS)
