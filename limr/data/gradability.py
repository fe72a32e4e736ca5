r"""The gate: which gold answers can be graded at all, found out before anything is trained on them.

A gold answer passes when ``\boxed{gold}`` is graded correct and a box with an obviously wrong answer is not. The
grader is the one that training and evaluation use (``limr.grading.reward.grade``).
"""

import logging
from collections.abc import Iterable

from limr.grading.reward import grade
from limr.progress import ProgressLines

logger = logging.getLogger(__name__)

WRONG_ANSWER = "-31415.92653"  # of no problem
NO_ANSWERS = ("", "None")  # the second is what published lists have where they found no answer


def ungradable(golds: Iterable[str]) -> dict[str, str]:
    """Gold answer -> why it cannot be graded, for those of ``golds`` that cannot."""
    distinct = sorted(set(golds))
    lines = ProgressLines("grading the gold answers against themselves", len(distinct))
    reasons = {}
    for gold in distinct:
        if reason := why_ungradable(gold):
            reasons[gold] = reason
        lines.update(f"{len(reasons)} cannot be graded")
    return reasons


def why_ungradable(gold: str) -> str:
    r"""Why ``gold`` cannot be graded, or nothing when it can.

    >>> why_ungradable("12"), why_ungradable("None")
    ('', "no answer: 'None'")
    """
    if gold.strip() in NO_ANSWERS:
        return f"no answer: {gold!r}"
    itself = grade(f"\\boxed{{{gold}}}", gold)
    if not itself.correct:
        return f"not equal to itself: {itself.reason}"
    if grade(f"\\boxed{{{WRONG_ANSWER}}}", gold).correct:
        return f"equal to an obviously wrong answer, {WRONG_ANSWER}"
    return ""
