"""RAND-solvable: prompts drawn at random among those that the probe solved at least once.

Source: ours. Many methods leave out the prompts that the probe never solved, because these are beyond the model or have
a wrong gold answer. This method does only that, and draws the rest at random. So the lead of another method over it
comes from more than leaving such prompts out.
"""

from collections.abc import Sequence

import numpy as np

from limr.selection.method import score_method
from limr.selection.methods.rand import rand


@score_method("rand_solvable", signals=("accuracy",), nan_means="never solved by the probe")
def rand_solvable(values: np.ndarray, prompt_ids: Sequence[str], seed: int) -> np.ndarray:
    """Give each prompt that was solved at least once RAND's number, uniform from [0, 1).

    The number is the same as RAND's. So with the same size, RAND-solvable takes RAND's prompts without those that were
    never solved, and fills up with the next ones of RAND's order. This pairs the two methods within a seed.

    >>> curves = np.array([[0.0, 0.125], [0.0, 0.0]])
    >>> rand_solvable(curves, ["solved once", "never solved"], seed=1).round(3).tolist()
    [0.613, nan]
    """
    solved = (values > 0).any(axis=1)
    return np.where(solved, rand(list(prompt_ids), seed), np.nan)
