r"""Finds the content of ``\boxed{}`` in one pass over the response.

A response may be megabytes of any text. So each character is read once, nothing recurses, and the one regular
expression is an alternation of fixed strings, which never backtracks.
"""

import re
from dataclasses import dataclass

_MARKS = re.compile(r"\\(?:boxed|fbox)(?![A-Za-z])[ \t\n]?\{|\\[\\{}]|[{}]")


@dataclass(frozen=True)
class Boxes:
    r"""The boxes of a response.

    ``last`` is the content of the closed box that closes last, or None. ``closed`` counts the closed boxes that are in
    no other closed box. ``unclosed`` is true when a box was opened and never closed.
    """

    last: str | None
    closed: int
    unclosed: bool


def find_boxes(response: str) -> Boxes:
    r"""Find the boxes of ``response``; the escaped braces ``\{`` and ``\}`` are not braces.

    A closing brace without an opening one is ignored. A box inside a box is part of the outer one.

    >>> find_boxes(r"so \boxed{\frac{1}{2}}.")
    Boxes(last='\\frac{1}{2}', closed=1, unclosed=False)
    >>> find_boxes(r"\boxed{1} or \boxed{2")
    Boxes(last='1', closed=1, unclosed=True)
    >>> find_boxes("no box")
    Boxes(last=None, closed=0, unclosed=False)
    """
    opened: list[int] = []  # where the content of each open brace starts; -1 for a brace that opens no box
    closed: list[tuple[int, int]] = []
    boxes_open = 0
    for mark in _MARKS.finditer(response):
        token = mark.group()
        if token == "{":
            opened.append(-1)
        elif token == "}":
            start = opened.pop() if opened else -1
            if start >= 0:
                boxes_open -= 1
                while closed and closed[-1][0] > start:
                    closed.pop()
                closed.append((start, mark.start()))
        elif token[-1] == "{" and len(token) > 2:
            opened.append(mark.end())
            boxes_open += 1
    last = response[closed[-1][0] : closed[-1][1]] if closed else None
    return Boxes(last, len(closed), unclosed=boxes_open > 0)
