"""FULL: every prompt. The subsets are compared with this run (arXiv 2502.11886, section 2: MATH-FULL)."""

from limr.selection.method import score_method


@score_method("full")
def full(prompt_ids: list[str]) -> list[float]:
    """Give every prompt the same score, 1.

    >>> full(["x", "y"])
    [1.0, 1.0]
    """
    return [1.0] * len(prompt_ids)
