r"""The reward: one function from a response and its gold answer to the reward, and the reason for it.

The reward is 1 for a correct answer, -0.5 for a wrong but well-formed one, -1 for a malformed one (the paper, section
2). The answer is the content of the last closed ``\boxed{}``. A truncated response is malformed; a rule defines what
else is malformed:

``paper``
    The paper gives no details. Our rule: no closed box; more than 4 boxes; or degenerate repetition, one piece of up
    to 1,000 characters at least 5 times in a row, which fills at least 200 characters.
``released_code``
    The checks of ``openrlhf/cli/serve_rm.py`` in the original code: no closed box; the word ``\boxed`` 5 times or more;
    more than 30 % characters that are not Latin letters, digits, white space, ASCII punctuation or mathematical
    operators (U+2200 to U+22FF); or, on one line, a piece of 5 characters or more 5 times in a row (we search for
    pieces of up to 1,000 characters). The original also calls a response malformed after 2 seconds of wall-clock
    time. We leave that out: the verdict would depend on the machine.

The grader decides whether the answer is correct: ``limr``, or ``math_verify`` to compare scores with papers that use
plain Math-Verify (docs/grading.md).

Both rules search the last 20,000 characters of a response for repetitions. Nothing in a response is ever evaluated.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from limr.errors import LimrError, one_of
from limr.grading.boxes import Boxes, find_boxes
from limr.grading.equivalence import LIMR, equal
from limr.grading.repetition import LONGEST_TEXT, repeated_piece

CORRECT_REWARD = 1.0
WRONG_REWARD = -0.5
MALFORMED_REWARD = -1.0

MOST_BOXES = 4
SHORTEST_REPETITION = 200
NOT_COMPARED = ("guard", "limit")  # stages that refuse an answer without comparing it; the reason explains why

_USUAL_CHARACTERS = re.compile(r'[a-zA-Z0-9\s\.,!?"\'\(\)\{\}\[\]_\-+=<>/@#$%^&*\\|:;~`\u2200-\u22FF]')
_MOST_UNUSUAL = 0.3


@dataclass(frozen=True)
class Verdict:
    """The reward of one response, and the reason for it."""

    reward: float
    answer: str | None
    correct: bool
    formatted: bool
    reason: str


def grade(response: str, gold: str, truncated: bool = False, rule: str = "paper", grader: str = LIMR) -> Verdict:
    r"""Grade one response against its gold answer; ``truncated`` means that it reached the token limit.

    Accepts any text. The verdict is the same from threads, from asyncio (``asyncio.to_thread``) and in forked or
    spawned processes. Raises LimrError for a rule or grader that does not exist, and if no worker can be started.

    >>> grade(r"3+8=11,\boxed{11}", "11").reward
    1.0
    >>> grade(r"\boxed{12}", "11").reason
    'wrong answer'
    >>> grade("11", "11").reward
    -1.0
    """
    if rule not in RULES:
        raise LimrError(where="reward rule", found=repr(rule), expected=one_of(RULES))
    if truncated:
        return _malformed("truncated")
    boxes = find_boxes(response)
    if boxes.last is None:
        return _malformed("the box is not closed" if boxes.unclosed else "no boxed answer")
    flaw = RULES[rule](response, boxes)
    if flaw is not None:
        return _malformed(flaw)
    equality = equal(gold, boxes.last, grader)
    if equality.equal:
        return Verdict(CORRECT_REWARD, boxes.last, True, True, "correct")
    refused = f": {equality.reason}" if equality.stage in NOT_COMPARED else ""
    return Verdict(WRONG_REWARD, boxes.last, False, True, f"wrong answer{refused}")


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
"""Name -> rule. A rule returns the reason why a response with a closed box is malformed, or None."""


def _malformed(reason: str) -> Verdict:
    return Verdict(MALFORMED_REWARD, None, False, False, reason)
