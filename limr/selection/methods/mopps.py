"""MoPPS, Model Predictive Prompt Selection: how close to the target a prompt's success rate is believed to be.

Source: "Can Prompt Difficulty be Online Predicted for Accelerating RL Finetuning of Reasoning Models?", arXiv
2507.04632, and its released code (recipe/ours/mopps.py). A prompt's success rate has a Beta posterior, from Beta(1, 1).
A visit with s right of k samples makes of it

    alpha <- lambda alpha + (1 - lambda) alpha_0 + s,    beta <- lambda beta + (1 - lambda) beta_0 + k - s.

During training, MoPPS draws a success rate from each posterior and takes the prompts whose draw is closest to the
target, 0.5, by squared distance. Here the posterior is that of the recorded visits, and the score is the expected
squared distance instead of one draw's (ours: what is chosen once has nothing left to explore). lambda is 1 in the
released configuration and for MATH, 0.5 for its other tasks. k is the number of samples that most visits have.
"""

import numpy as np

from limr.selection.method import Pool, Scores, score_method
from limr.selection.rounding import DECIMALS, check_option
from limr.trajectories import usual_samples, visit_matrix


@score_method("mopps", needs_trajectories=True)
def mopps(pool: Pool, *, target: float = 0.5, discount: float = 1.0, missing: str = "drop") -> Scores:
    """Score each prompt by how close to the target its success rate is believed to be: 0 or less.

    - (v + (m - target)^2), m and v the mean and variance of Beta(alpha, beta) after the last visit. Options:
    ``target``; ``discount``, lambda: the weight that a visit keeps from one visit to the next, 1 for ever; and
    ``missing`` (see ``VisitMatrix.without_gaps``).

    >>> from limr.trajectories import Trajectories
    >>> curves = {"even": [0.25, 0.75], "never": [0.0, 0.0], "solved": [1.0, 1.0]}
    >>> scored = mopps(Pool(sorted(curves), Trajectories.from_curves(accuracies=curves), seed=0))
    >>> {name: round(score, 4) for name, score in scored.scores.items()}
    {'even': -0.0132, 'never': -0.2003, 'solved': -0.2003}
    """
    check_option("mopps", "target", target, 0, 1)
    check_option("mopps", "discount", discount, 0, 1)
    matrix, dropped = visit_matrix(pool.trajectories, "accuracy").without_gaps(missing)
    alpha, beta = posterior(matrix.values, usual_samples(pool.trajectories), discount)
    mean = alpha / (alpha + beta)
    variance = mean * (1 - mean) / (alpha + beta + 1)
    scores = -(variance + (mean - target) ** 2).round(DECIMALS)
    return Scores(dict(zip(matrix.prompt_ids, scores.tolist(), strict=True)), dropped)


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
