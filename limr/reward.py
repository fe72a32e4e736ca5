r"""The reward: one function from a response and its gold answer to what the response earned.

The paper's rule (section 2): 1 for a correct answer, -0.5 for a wrong but well-formed one, -1 for a malformed one.
A response is well-formed when it ends by itself and holds exactly one closed ``\boxed{}``.
Answers are compared as text after normalisation; nothing in a response is ever evaluated.
"""

from dataclasses import dataclass

CORRECT_REWARD = 1.0
WRONG_REWARD = -0.5
MALFORMED_REWARD = -1.0

_BOX = "\\boxed{"


@dataclass(frozen=True)
class Verdict:
    """What one response earned, and why."""

    reward: float
    answer: str | None
    correct: bool
    formatted: bool
    reason: str


def grade(response: str, gold: str, truncated: bool = False) -> Verdict:
    r"""Grade one response against its gold answer; ``truncated`` tells that it hit the token limit.

    >>> grade(r"3+8=11,\boxed{11}", "11").reward
    1.0
    >>> grade(r"\boxed{12}", "11").reason
    'wrong answer'
    >>> grade("11", "11").reward
    -1.0
    """
    if truncated:
        return _malformed("truncated")
    boxes = response.count(_BOX)
    if boxes != 1:
        return _malformed("no boxed answer" if boxes == 0 else "several boxed answers")
    answer = _inside(response, response.index(_BOX) + len(_BOX))
    if answer is None:
        return _malformed("the box is not closed")
    if normalise(answer) == normalise(gold):
        return Verdict(CORRECT_REWARD, answer, True, True, "correct")
    return Verdict(WRONG_REWARD, answer, False, True, "wrong answer")


def normalise(answer: str) -> str:
    r"""The form in which two answers are compared: no white space, no dollar signs, no closing full stop.

    >>> normalise(" $ 1 2 .$ ")
    '12'
    """
    return "".join(answer.split()).replace("$", "").rstrip(".")


def _malformed(reason: str) -> Verdict:
    return Verdict(MALFORMED_REWARD, None, False, False, reason)


def _inside(text: str, start: int) -> str | None:
    """The text from ``start`` to the brace that closes it, or None when none does."""
    depth = 1
    for position in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return text[start:position]
    return None
