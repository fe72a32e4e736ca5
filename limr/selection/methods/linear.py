"""LINEAR: how closely a prompt's accuracy follows a straight line from 0 to 1.

Source: the paper (arXiv 2502.11886, section 2) compares LIM with a selection of prompts that improve steadily. It names
a threshold of 0.7, but no formula. This formula is ours: LIM's alignment score with a line instead of the mean curve.
"""

import numpy as np

from limr.errors import LimrError
from limr.selection.method import score_method
from limr.selection.methods.lim import alignment


@score_method("linear", signals=("accuracy",))
def linear(values: np.ndarray) -> np.ndarray:
    """Score each prompt by its alignment with the line that runs from 0 at the first visit to 1 at the last.

    Raises LimrError when there are fewer than two visits.

    >>> linear(np.array([[0.5, 1.0, 1.0], [0.0, 0.5, 1.0]])).tolist()
    [0.6, 1.0]
    """
    n_visits = values.shape[1]
    if n_visits < 2:
        raise LimrError("there is only one visit, and a line needs two", advice="Train the probe longer.")
    return alignment(values, np.linspace(0, 1, n_visits))
