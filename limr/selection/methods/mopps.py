"""MoPPS, Model Predictive Prompt Selection: how close to the target the estimated success rate of a prompt is.

Source: "Can Prompt Difficulty be Online Predicted for Accelerating RL Finetuning of Reasoning Models?", arXiv
2507.04632, and its released code (recipe/ours/mopps.py). A prompt's success rate has a Beta posterior, which starts as
Beta(1, 1). A visit with s of k samples correct updates it to

    alpha <- lambda alpha + (1 - lambda) alpha_0 + s,    beta <- lambda beta + (1 - lambda) beta_0 + k - s.

During training, MoPPS draws a success rate from each posterior and takes the prompts with draws closest to the
target, 0.5, by squared distance. Here the posterior is that of the recorded visits. The score is minus the expected
squared distance, instead of the distance of one draw. This change is ours: a selection that is made only once needs no
exploration. lambda is 1 in the released configuration and for MATH, and 0.5 for its other tasks. k is the number of
samples that most visits have.
"""

import numpy as np

from limr.selection.method import score_method
from limr.selection.options import Share
from limr.selection.rounding import DECIMALS


@score_method("mopps", signals=("accuracy",))
def mopps(values: np.ndarray, n_samples: int, *, target: Share = 0.5, discount: Share = 1.0) -> np.ndarray:
    """Score each prompt by how close to the target its estimated success rate is: 0 or less.

    - (v + (m - target)^2), where m and v are the mean and variance of Beta(alpha, beta) after the last visit. Options:
    ``target``, and ``discount``, which is lambda: the weight that a visit keeps from one visit to the next.

    >>> mopps(np.array([[0.25, 0.75], [0.0, 0.0], [1.0, 1.0]]), n_samples=8).round(4).tolist()
    [-0.0132, -0.2003, -0.2003]
    """
    alpha, beta = posterior(values, n_samples, discount)
    mean = alpha / (alpha + beta)
    variance = mean * (1 - mean) / (alpha + beta + 1)
    return -(variance + (mean - target) ** 2).round(DECIMALS)


def posterior(accuracies: np.ndarray, n_samples: int, discount: float) -> tuple[np.ndarray, np.ndarray]:
    """Alpha and beta of each prompt after all visits of ``accuracies`` (prompts x visits), from Beta(1, 1).

    >>> [parameter.tolist() for parameter in posterior(np.array([[0.0, 1.0]]), n_samples=8, discount=0.5)]
    [[9.0], [5.0]]
    """
    alpha = beta = np.ones(len(accuracies))
    for accuracy in accuracies.T:
        alpha = discount * alpha + (1 - discount) + accuracy * n_samples
        beta = discount * beta + (1 - discount) + (1 - accuracy) * n_samples
    return alpha, beta
