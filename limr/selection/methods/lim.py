"""LIM, Learning Impact Measurement: how closely a prompt's curve follows the mean curve of all prompts.

Source: "LIMR: Less is More for RL Scaling", arXiv 2502.11886, section 2 (Learning Impact Measurement).
"""

from collections.abc import Sequence
from typing import Annotated

import numpy as np

from limr.errors import LimrError, MethodOption, shown
from limr.selection.method import score_method
from limr.selection.options import OptionsError, Range
from limr.selection.rounding import DECIMALS, ROUNDING

Reward = Annotated[float, Range(-(10**9), 10**9)]  # far above any reward; the square of 1e308 overflows


@score_method("lim", signals=("reward", "accuracy"))
def lim(values: np.ndarray, prompt_ids: Sequence[str], signal: str, *, best_reward: Reward = 1.0) -> np.ndarray:
    """Score each prompt by its alignment with the mean curve; the released code keeps scores of at least theta = 0.6.

    The paper's text uses the reward. Its released code (lim/lim_selection.py) uses the accuracy: the share of samples
    with reward 1, which is ``signal=accuracy``. Option ``best_reward`` is the reward of a solved prompt: the 1 of the
    formula, and 1 in the paper. The mean curve is taken over the prompts that have every visit.

    Raises LimrError when a mean reward exceeds the best reward. Also raises it when the mean curve is the best reward
    at every visit: there was nothing to learn, and the score would be 0 / 0.

    >>> curves = np.array([[-1.0, 1.0], [-1.0, -1.0], [1.0, 1.0]])
    >>> lim(curves, ["learned", "never solved", "always solved"], "reward").round(3).tolist()
    [0.6, 0.0, 0.0]
    """
    if signal == "accuracy" and best_reward != 1:
        raise OptionsError(
            option="best_reward",
            found=shown(best_reward),
            expected="1, the highest accuracy",
            advice="Leave the option out.",
        )
    curve = values.mean(axis=0)
    _check_best_reward(values, curve, prompt_ids, best_reward)
    return alignment(values, curve, best_reward)


def alignment(values: np.ndarray, curve: np.ndarray, best: float = 1.0) -> np.ndarray:
    """1 - sum_k (r_i^k - c^k)^2 / sum_k (b - c^k)^2, for each row r_i of ``values`` (prompts x visits).

    ``curve`` is c, one value per visit; ``best`` is b, the value of a solved prompt. A curve equal to c scores 1. A
    curve at the same distance from c as "always solved" scores 0. There is no lower bound.

    >>> alignment(np.array([[0.0, 0.5], [1.0, 1.0]]), curve=np.array([0.0, 0.5])).tolist()
    [1.0, 0.0]
    """
    scores = 1 - ((values - curve) ** 2).sum(axis=1) / ((best - curve) ** 2).sum()
    return scores.round(DECIMALS)


def _check_best_reward(values: np.ndarray, curve: np.ndarray, prompt_ids: Sequence[str], best: float) -> None:
    rounding = ROUNDING * max(1.0, abs(best))
    row, visit = np.unravel_index(values.argmax(), values.shape)
    highest = float(values[row, visit])
    if highest > best + rounding:
        raise LimrError(
            where=(f"prompt {prompt_ids[row]}", f"visit {visit}"),
            found=f"a mean of {highest:g}",
            expected=f"at most {best:g}, the reward of a solved prompt",
            advice=["If a solved prompt earns more, set ", MethodOption("best_reward"), "."],
        )
    if (best - curve <= rounding).all():
        raise LimrError(
            f"the mean curve is {best:g} at every visit, so the denominator of the score is 0",
            advice="Every prompt was solved from the start. Probe harder prompts, or a weaker model.",
        )
