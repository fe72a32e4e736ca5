r"""The reward: one function from a response and its gold answer to what the response earned, and why.

1 for a correct answer, -0.5 for a wrong but well-formed one, -1 for a malformed one (the paper, section 2). The answer
is what stands in the last closed ``\boxed{}``. What is malformed besides a truncated response is a rule's to say:

``paper``
    The paper gives no details. Ours: no closed box; more than 4 boxes; or a degenerate repetition, one piece of up to
    1,000 characters that stands at least 5 times in a row and so fills at least 200 characters.
``released_code``
    What ``openrlhf/cli/serve_rm.py`` of the original code checks: no closed box; the word ``\boxed`` 5 times or more;
    more than 30 % characters that are not Latin letters, digits, white space, ASCII punctuation or mathematical
    operators (U+2200 to U+22FF); or, on one line, a piece of 5 characters or more 5 times in a row (our search for it
    stops at pieces of 1,000 characters). Its time limit of 2 seconds on the clock, after which anything was malformed,
    is left out: the verdict would depend on the machine.

Both rules look for repetitions in a response's last 20,000 characters. Nothing in a response is ever evaluated.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from limr.errors import LimrError
from limr.grading import equal
from limr.grading.boxes import Boxes, find_boxes
from limr.grading.repetition import LONGEST_TEXT, repeated_piece

CORRECT_REWARD = 1.0
WRONG_REWARD = -0.5
MALFORMED_REWARD = -1.0

MOST_BOXES = 4
SHORTEST_REPETITION = 200
NOT_COMPARED = ("guard", "limit")  # stages that refuse an answer without having compared it: the reason says why

_USUAL_CHARACTERS = re.compile(r'[a-zA-Z0-9\s\.,!?"\'\(\)\{\}\[\]_\-+=<>/@#$%^&*\\|:;~`\u2200-\u22FF]')
_MOST_UNUSUAL = 0.3


@dataclass(frozen=True)
class Verdict:
    """What one response earned, and why."""

    reward: float
    answer: str | None
    correct: bool
    formatted: bool
    reason: str


def grade(response: str, gold: str, truncated: bool = False, rule: str = "paper") -> Verdict:
    r"""Grade one response against its gold answer; ``truncated`` tells that it hit the token limit.

    Any text will do, nothing in it raises. May be called from threads, from asyncio (``asyncio.to_thread``) and in
    forked or spawned processes; the verdict is the same. Raises LimrError for a ``rule`` that does not exist, or where
    the processes that compare what is more than text and numbers cannot be started.

    >>> grade(r"3+8=11,\boxed{11}", "11").reward
    1.0
    >>> grade(r"\boxed{12}", "11").reason
    'wrong answer'
    >>> grade("11", "11").reward
    -1.0
    """
    if rule not in RULES:
        raise LimrError(f"reward rule: found {rule!r}, expected {' or '.join(RULES)}")
    if truncated:
        return _malformed("truncated")
    boxes = find_boxes(response)
    if boxes.last is None:
        return _malformed("the box is not closed" if boxes.unclosed else "no boxed answer")
    flaw = RULES[rule](response, boxes)
    if flaw is not None:
        return _malformed(flaw)
    equality = equal(gold, boxes.last)
    if equality.equal:
        return Verdict(CORRECT_REWARD, boxes.last, True, True, "correct")
    unread = f": {equality.reason}" if equality.stage in NOT_COMPARED else ""
    return Verdict(WRONG_REWARD, boxes.last, False, True, f"wrong answer{unread}")


def _paper(response: str, boxes: Boxes) -> str | None:
    if boxes.closed > MOST_BOXES:
        return f"more than {MOST_BOXES} boxed answers"
    if repeated_piece(response, 1, SHORTEST_REPETITION) is not None:
        return "degenerate repetition"
    return None


def _released_code(response: str, boxes: Boxes) -> str | None:
    response = response.strip()
    if response.count("\\boxed") > MOST_BOXES:
        return f"more than {MOST_BOXES} boxed answers"
    if len(_USUAL_CHARACTERS.sub("", response)) > _MOST_UNUSUAL * len(response):
        return "unusual characters"
    if any(repeated_piece(line, 5, 25) is not None for line in response[-LONGEST_TEXT:].split("\n")):
        return "degenerate repetition"
    return None


RULES: dict[str, Callable[[str, Boxes], str | None]] = {"paper": _paper, "released_code": _released_code}
"""The rules: each says what is malformed about a response that has a closed box, or None."""


def _malformed(reason: str) -> Verdict:
    return Verdict(MALFORMED_REWARD, None, False, False, reason)
