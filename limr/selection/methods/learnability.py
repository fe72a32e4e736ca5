"""Learnability, p (1 - p): how uncertain it was whether a prompt is solved.

Source: "Learning to Reason at the Frontier of Learnability", arXiv 2502.12272, which brings sampling for learnability
(Rutherford et al., arXiv 2408.15099) to language models. At each step prompts are tried several times, and training
takes those with the highest p (1 - p), where p is the share of correct samples. Online difficulty filtering (arXiv
2504.03380) bounds the improvement of a policy from below by the same variance. Both act during training. Here each
visit of the recorded run is such a trial, and the score is the mean of p (1 - p) over all visits. It is not p (1 - p)
of the mean accuracy: a prompt that jumps from never to always solved has a mean of a half, but no undecided visit.
"""

import numpy as np

from limr.selection.method import score_method
from limr.selection.rounding import DECIMALS


@score_method("learnability", signals=("accuracy",))
def learnability(values: np.ndarray) -> np.ndarray:
    """Score each prompt by its mean p (1 - p) over the visits, where p is the accuracy of a visit: from 0 to 0.25.

    >>> learnability(np.array([[0.5, 0.5], [0.0, 1.0], [0.25, 1.0]])).tolist()
    [0.25, 0.0, 0.09375]
    """
    return (values * (1 - values)).mean(axis=1).round(DECIMALS)
