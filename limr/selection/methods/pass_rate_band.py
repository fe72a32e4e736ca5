"""Pass-rate band: whether a prompt was neither too hard nor too easy, and by which margin.

Sources: "Online Difficulty Filtering for Reasoning Oriented Reinforcement Learning", arXiv 2504.03380: a batch is
filled with prompts whose pass rate p under the policy in training lies between two thresholds, balanced around a half.
Skywork-OR1, arXiv 2505.22312, sections 3.1 and 6.2: before training, prompts that the base model solves in all of 16
attempts or in none are thrown out. The first acts at every step, the second once. Here p is the mean accuracy of the
recorded visits, and what is ours is the score: the distance to the nearer end of the band, so that it ranks (best in
the middle of the band) as well as cuts (`theta: 0` keeps the band, its ends included). The default band is ours too.
Skywork-OR1's rule is `options: {lowest: 0, highest: 1}` with `theta: 1.0e-6`: solved at least once, and not always.
"""

import numpy as np

from limr.errors import LimrError
from limr.selection.method import Pool, Scores, score_method
from limr.selection.rounding import DECIMALS, check_option
from limr.trajectories import visit_matrix


@score_method("pass_rate_band", needs_trajectories=True)
def pass_rate_band(pool: Pool, *, lowest: float = 0.2, highest: float = 0.8, missing: str = "drop") -> Scores:
    """Score each prompt by how far inside the band its pass rate lies; theta = 0 keeps exactly the band.

    min(p - lowest, highest - p), p the mean accuracy over the visits: negative outside the band. Options: ``lowest``
    and ``highest``, the ends of the band, and ``missing`` (see ``VisitMatrix.without_gaps``).

    Raises LimrError when the ends are no shares, or the wrong way round.

    >>> from limr.trajectories import Trajectories
    >>> curves = {"easy": [0.75, 1.0], "edge": [0.0, 0.5], "even": [0.25, 0.75]}
    >>> pool = Pool(sorted(curves), Trajectories.from_curves(accuracies=curves), seed=0)
    >>> pass_rate_band(pool, lowest=0.25, highest=0.75).scores
    {'easy': -0.125, 'edge': 0.0, 'even': 0.25}
    """
    check_option("pass_rate_band", "lowest", lowest, 0, 1)
    check_option("pass_rate_band", "highest", highest, 0, 1)
    if lowest >= highest:
        raise LimrError(
            f"score 'pass_rate_band': option lowest: found {lowest!r}, expected less than highest, {highest!r}"
        )
    matrix, dropped = visit_matrix(pool.trajectories, "accuracy").without_gaps(missing)
    rate = matrix.values.mean(axis=1)
    # a rate at an end of the band is in it, whatever its last digits
    scores = np.minimum(rate - lowest, highest - rate).round(DECIMALS)
    return Scores(dict(zip(matrix.prompt_ids, scores.tolist(), strict=True)), dropped)
