"""Pass-rate band: whether a prompt was neither too hard nor too easy, and by how much.

Sources: "Online Difficulty Filtering for Reasoning Oriented Reinforcement Learning", arXiv 2504.03380. It fills a batch
with prompts that have a pass rate p, under the current policy, between two thresholds symmetric around one half.
Skywork-OR1, arXiv 2505.22312, sections 3.1 and 6.2: before training, it removes prompts that the base model solves in
all of 16 attempts or in none. The first rule acts at every step, the second once.

Here p is the mean accuracy of the recorded visits. The score is ours: the distance to the nearer end of the band. It is
highest in the middle of the band, and `theta: 0` keeps the band including its ends. The default band is ours too.
Skywork-OR1's rule is `options: {lowest: 0, highest: 1}` with `theta: 1.0e-6`: solved at least once, and not always.
"""

import numpy as np

from limr.errors import shown
from limr.selection.method import score_method
from limr.selection.options import OptionsError, Share
from limr.selection.rounding import DECIMALS


@score_method("pass_rate_band", signals=("accuracy",))
def pass_rate_band(values: np.ndarray, *, lowest: Share = 0.2, highest: Share = 0.8) -> np.ndarray:
    """Score each prompt by how far its pass rate is inside the band; theta = 0 keeps exactly the band.

    min(p - lowest, highest - p), where p is the mean accuracy over the visits: negative outside the band. Options
    ``lowest`` and ``highest`` are the ends of the band.

    Raises LimrError when the lowest rate is not below the highest.

    >>> pass_rate_band(np.array([[0.75, 1.0], [0.0, 0.5], [0.25, 0.75]]), lowest=0.25, highest=0.75).tolist()
    [-0.125, 0.0, 0.25]
    """
    if lowest >= highest:
        raise OptionsError(option="lowest", found=shown(lowest), expected=f"less than highest, {shown(highest)}")
    rate = values.mean(axis=1)
    # rounded, so that rounding errors do not move a rate at an end of the band outside
    return np.minimum(rate - lowest, highest - rate).round(DECIMALS)
