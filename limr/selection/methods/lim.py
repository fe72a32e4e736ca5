"""LIM, Learning Impact Measurement: how closely a prompt's curve follows the mean curve of all prompts.

Source: "LIMR: Less is More for RL Scaling", arXiv 2502.11886, section 2 (Learning Impact Measurement).
"""

import numpy as np

from limr.errors import LimrError
from limr.selection.method import Pool, Scores, score_method
from limr.selection.rounding import ROUNDING, check_option
from limr.trajectories import VisitMatrix, visit_matrix


@score_method("lim", needs_trajectories=True)
def lim(pool: Pool, *, signal: str = "reward", missing: str = "drop", best_reward: float = 1.0) -> Scores:
    """Score each prompt by its alignment with the mean curve; the paper keeps scores of at least theta = 0.6.

    Options: ``signal`` (``reward``, as in the paper, or ``accuracy``), ``missing`` (see ``VisitMatrix.without_gaps``)
    and ``best_reward``, the reward of a solved prompt: it is the 1 of the formula, and 1 in the paper. An accuracy is
    1 at best. The mean is taken over the prompts whose curve is whole.

    Raises LimrError when a mean reward exceeds the best reward, and when the mean curve is the best reward at every
    visit: nothing was left to learn, and the score is 0 / 0.

    >>> from limr.trajectories import Trajectories
    >>> curves = {"late": [-1.0, 1.0], "never": [-1.0, -1.0], "solved": [1.0, 1.0]}
    >>> pool = Pool(sorted(curves), Trajectories.from_curves(rewards=curves), seed=0)
    >>> {name: round(score, 3) for name, score in lim(pool).scores.items()}
    {'late': 0.6, 'never': 0.0, 'solved': 0.0}
    """
    check_option("lim", "best_reward", best_reward)
    if signal == "accuracy" and best_reward != 1:
        raise LimrError(
            f"score 'lim': option best_reward: found {best_reward!r}, and an accuracy is 1 at best: leave it out"
        )
    matrix, dropped = visit_matrix(pool.trajectories, signal).without_gaps(missing)
    curve = matrix.values.mean(axis=0)
    _check_best(matrix, curve, signal, best_reward)
    scores = alignment(matrix.values, curve, best_reward)
    return Scores(dict(zip(matrix.prompt_ids, scores.tolist(), strict=True)), dropped)


def alignment(values: np.ndarray, curve: np.ndarray, best: float = 1.0) -> np.ndarray:
    """1 - sum_k (r_i^k - c^k)^2 / sum_k (b - c^k)^2, for each row r_i of ``values`` (prompts x visits).

    ``curve`` is c, one value a visit; ``best`` is b, the value of a solved prompt. 1 is a curve that follows c; 0 one
    as far from it as "always solved" is; there is no lower bound.

    >>> alignment(np.array([[0.0, 0.5], [1.0, 1.0]]), curve=np.array([0.0, 0.5])).tolist()
    [1.0, 0.0]
    """
    return 1 - ((values - curve) ** 2).sum(axis=1) / ((best - curve) ** 2).sum()


def _check_best(matrix: VisitMatrix, curve: np.ndarray, signal: str, best: float) -> None:
    rounding = ROUNDING * max(1.0, abs(best))
    row, visit = np.unravel_index(matrix.values.argmax(), matrix.values.shape)
    highest = float(matrix.values[row, visit])
    if highest > best + rounding:
        raise LimrError(
            f"score 'lim': prompt {matrix.prompt_ids[row]}, visit {visit}: found a mean {signal} of {highest:g},"
            f" expected at most {best:g}, what a solved prompt earns."
            " If it earns more, say so: `options: {best_reward: ...}`"
        )
    if (best - curve <= rounding).all():
        raise LimrError(
            f"score 'lim': the mean {signal} is {best:g} at every visit: every prompt was solved from the start,"
            " and the score's denominator is 0. Probe harder prompts, or a weaker model."
        )
