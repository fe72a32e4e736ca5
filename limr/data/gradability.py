r"""Find the gold answers that cannot be graded, before anything is trained on them.

A gold answer can be graded when ``\boxed{gold}`` is graded correct and a box with an obviously wrong answer is not.
The grader is that of training and evaluation (``limr.grading.reward.grade``).
"""

import logging
from collections.abc import Iterable

from limr.grading.equivalence import LIMR
from limr.grading.reward import grade
from limr.progress import ProgressLines

logger = logging.getLogger(__name__)

WRONG_ANSWER = "-31415.92653"  # no problem has this answer
NO_ANSWERS = ("", "None")  # published lists hold "None" if they found no answer


def ungradable(golds: Iterable[str], grader: str = LIMR) -> dict[str, str]:
    """The golds that ``grader`` cannot grade: gold answer -> reason."""
    distinct = sorted(set(golds))
    lines = ProgressLines("grading the gold answers against themselves", len(distinct))
    reasons = {}
    for gold in distinct:
        if reason := why_ungradable(gold, grader):
            reasons[gold] = reason
        lines.update(f"{len(reasons)} cannot be graded")
    return reasons


def why_ungradable(gold: str, grader: str = LIMR) -> str:
    r"""Why ``grader`` cannot grade ``gold``; empty when it can.

    >>> why_ungradable("12"), why_ungradable("None")
    ('', "no answer: 'None'")
    """
    if gold.strip() in NO_ANSWERS:
        return f"no answer: {gold!r}"
    itself = grade(f"\\boxed{{{gold}}}", gold, grader=grader)
    if not itself.correct:
        return f"not equal to itself: {itself.reason}"
    if grade(f"\\boxed{{{WRONG_ANSWER}}}", gold, grader=grader).correct:
        return f"equal to an obviously wrong answer, {WRONG_ANSWER}"
    return ""
