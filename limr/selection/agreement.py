"""How far two scores of the same prompts agree: the overlap of their best prompts, and their rank correlation."""

import numpy as np

PAPER_SHARE = 1389 / 8523  # the share of MATH-FULL that LIM kept (arXiv 2502.11886, section 2)


def top(scores: np.ndarray, number: int) -> np.ndarray:
    """The membership of each prompt in the best ``number`` of ``scores`` (float64 [prompts], NaN = no score).

    It is 1 for a member and 0 for other prompts. Prompts that tie at the cut share the remaining places: two prompts
    for one place get 0.5 each. So the result does not depend on how ties are broken. If at most ``number`` prompts have
    a score, all of these are members.

    >>> top(np.array([0.5, 0.9, 0.5, np.nan]), 2).tolist()
    [0.5, 1.0, 0.5, 0.0]
    """
    known = ~np.isnan(scores)
    if known.sum() <= number:
        return known.astype(np.float64)
    cut = np.partition(scores[known], -number)[-number]  # the score of the last place
    above, tied = scores > cut, scores == cut
    return above + tied * ((number - above.sum()) / tied.sum())


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """The overlap of two selections (memberships from 0 to 1, one per prompt); NaN if both are empty.

    2 |A and B| / (|A| + |B|) (Dice 1945, Ecology 26:297-302). If both have the same size, this is the share of one
    selection that the other contains. Of the two memberships of a prompt, the smaller one counts.

    >>> overlap(np.array([1.0, 1.0, 0.0]), np.array([1.0, 0.0, 1.0]))
    0.5
    """
    size = first.sum() + second.sum()
    return float(2 * np.minimum(first, second).sum() / size) if size else np.nan


def overlap_by_chance(first: int, second: int, prompts: int) -> float:
    """The mean overlap of two random selections of ``first`` and ``second`` of ``prompts``; NaN if both are empty.

    On average they have ``first * second / prompts`` prompts in common.

    >>> overlap_by_chance(334, 334, 2048) == 334 / 2048
    True
    """
    return 2 * first * second / (prompts * (first + second)) if first + second else np.nan


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's rank correlation over the prompts that have both scores; ties have the mean of their ranks.

    NaN if either score is the same for all these prompts, or if there are fewer than two of them.

    >>> spearman(np.array([0.1, 0.2, 0.3, np.nan]), np.array([1.0, 4.0, 9.0, 16.0]))
    1.0
    """
    both = ~(np.isnan(first) | np.isnan(second))
    if not both.any():
        return np.nan
    one, other = _ranks(first[both]), _ranks(second[both])
    one, other = one - one.mean(), other - other.mean()
    size = np.sqrt((one @ one) * (other @ other))
    return float(np.clip(one @ other / size, -1, 1)) if size else np.nan


def _ranks(values: np.ndarray) -> np.ndarray:
    """Rank of each value, from 1; equal values have the mean of their ranks."""
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    # a group of n equal values ends at rank sizes.cumsum(), and its mean rank is (n - 1) / 2 lower
    return (sizes.cumsum() - (sizes - 1) / 2)[group]
