"""FULL: every prompt, the run that the subsets are measured against (arXiv 2502.11886, section 2: MATH-FULL)."""

from limr.selection.method import Pool, Scores, score_method


@score_method("full", needs_trajectories=False)
def full(pool: Pool) -> Scores:
    """Give every prompt the same score, 1.

    >>> full(Pool(["x", "y"], None, seed=0)).scores
    {'x': 1.0, 'y': 1.0}
    """
    return Scores(dict.fromkeys(pool.prompt_ids, 1.0))
