"""The miniature's mathematics: synthetic problems with a subject, a level, an exact answer and a worked solution.

There are seven subjects, named after those of MATH, with five levels each. At a higher level the worked solution has
more steps, or larger ones. Most steps are sums, products or remainders below 100, which a tiny model can learn. The
upper levels of counting and geometry need products of large numbers, which this model cannot learn.

Most subjects have a common mistake: another procedure, of steps that are right in themselves, which leads to a wrong
answer. An example is the perimeter without its doubling. The base model's corpus makes these mistakes (corpus.py).
"""

import random
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import NamedTuple

from limr.errors import LimrError

LEVELS = (1, 2, 3, 4, 5)

Steps = list[tuple[str, int]]  # sign and operand of each


@dataclass(frozen=True)
class Problem:
    """One problem. ``solution`` shows the steps (``7+5->12-3->9``) and ends with the answer, without a box.

    ``mistake``: the answer and the worked text of the common mistake. None if this kind of problem has none.
    """

    subject: str
    level: int
    prompt: str
    answer: str
    solution: str
    mistake: tuple[str, str] | None = None


class Draft(NamedTuple):
    """A problem before it is solved: the right procedure and the common mistake, each a first number and its steps."""

    prompt: str
    start: int
    steps: Steps
    mistake: tuple[int, Steps] | None = None
    largest: int = 99  # no step of the right procedure gives a larger number


class OutOfRangeError(Exception):
    """A step gives too large or a negative number, or a division has a remainder; the problem is drawn again."""


_OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}


def chain(start: int, steps: Steps, largest: int = 99) -> tuple[int, str]:
    """Apply ``steps`` to ``start`` one after another. Returns the result and the worked text.

    Raises OutOfRangeError when a step gives a number that is negative or above ``largest``, or a remainder.

    >>> chain(7, [("+", 5), ("-", 3)])
    (9, '7+5->12-3->9')
    """
    value, text = start, str(start)
    for sign, operand in steps:
        if sign == "/" and value % operand:
            raise OutOfRangeError
        value = _OPERATIONS[sign](value, operand)
        if not 0 <= value <= largest:
            raise OutOfRangeError
        text += f"{sign}{operand}->{value}"
    return value, text


def _prealgebra(level: int, rng: random.Random) -> Draft:
    start = rng.randint(2, 90)
    steps = [(rng.choice("+-"), rng.randint(2, 9)) for _ in range(level)]
    return Draft(f"Compute {start}{''.join(f'{sign}{operand}' for sign, operand in steps)}.", start, steps)


def _algebra(level: int, rng: random.Random) -> Draft:
    """The mistake: the last operation is not undone."""
    x = rng.randint(1, 40)
    a, b, d, k, m = (rng.randint(2, 9) for _ in range(5))
    forward, equation = {
        1: ([("*", m)], f"{m}x") if rng.random() < 0.5 else ([("+", b)], f"x+{b}"),
        2: ([("*", m), ("+", b)], f"{m}x+{b}"),
        3: ([("+", a), ("*", m), ("-", d)], f"{m}(x+{a})-{d}"),
        4: ([("*", m), ("+", b), ("*", k), ("-", d)], f"{k}({m}x+{b})-{d}"),
        5: ([("+", a), ("*", m), ("-", d), ("*", k), ("+", b)], f"{k}({m}(x+{a})-{d})+{b}"),
    }[level]
    right, _ = chain(x, forward)
    undo = {"+": "-", "-": "+", "*": "/"}
    steps = [(undo[sign], operand) for sign, operand in reversed(forward)]
    return Draft(f"Solve {equation}={right}.", right, steps, (right, steps[:-1]) if level > 1 else None)


def _number_theory(level: int, rng: random.Random) -> Draft:
    """The mistake: the last remainder is taken too early, or not at all."""
    a, b, c, d, m = (rng.randint(2, 9) for _ in range(5))
    large, remainder = rng.randint(10, 99), ("%", m)
    start, before, last, expression = {
        1: (large, [], [], f"{large}"),
        2: (large, [], [("+", b)], f"{large}+{b}"),
        3: (a, [("*", b)], [("+", c)], f"{a}*{b}+{c}"),
        4: (a, [("*", b), remainder, ("*", c)], [], f"{a}*{b}*{c}"),
        5: (a, [("*", b), remainder, ("*", c)], [("+", d)], f"{a}*{b}*{c}+{d}"),
    }[level]
    early = [*before, remainder, *last] if last else before
    mistake = (start, early) if level > 1 else None
    return Draft(f"Find {expression} mod {m}.", start, [*before, *last, remainder], mistake)


def _counting(level: int, rng: random.Random) -> Draft:
    """The mistake: every row gets the seats that are added once."""
    rows, seats = rng.randint(2, 49), rng.randint(2, 9)
    more, taken = rng.randint(2, 9), rng.randint(2, 9)
    if level == 1:
        seats = rng.randint(2, 19)
    elif level >= 4:
        rows, seats = rng.randint(101, 999), rng.randint(13, 99)
    question = f"Seats in {rows} rows of {seats}"
    every_row = [("+", more), ("*", rows)]
    if level in (1, 4):
        return Draft(f"{question}?", rows, [("*", seats)], largest=99 if level == 1 else 999 * 99)
    if level == 5:
        return Draft(f"{question} and {more} more?", rows, [("*", seats), ("+", more)], largest=999 * 99)
    if level == 2:
        return Draft(f"{question} and {more} more?", rows, [("*", seats), ("+", more)], (seats, every_row))
    steps = [("*", seats), ("+", more), ("-", taken)]
    return Draft(f"{question} and {more} more, {taken} taken?", rows, steps, (seats, [*every_row, ("-", taken)]))


def _geometry(level: int, rng: random.Random) -> Draft:
    """The mistake: the sum of the sides is not doubled, or too late."""
    wide, high, less = rng.randint(2, 49), rng.randint(2, 19), rng.randint(2, 9)
    if level == 1:
        return Draft(f"Area of a {wide} by {high} rectangle?", wide, [("*", high)])
    if level == 2:
        steps = [("+", high), ("*", 2)]
        return Draft(f"Perimeter of a {wide} by {high} rectangle?", wide, steps, (wide, [("+", high)]))
    if level == 3:
        steps, late = [("+", high), ("*", 2), ("-", less)], [("+", high), ("-", less), ("*", 2)]
        return Draft(f"Perimeter of a {wide} by {high} rectangle less {less}?", wide, steps, (wide, late))
    width, height = rng.randint(13, 99), rng.randint(13, 99)
    if level == 4:
        length = rng.randint(101, 999)
        return Draft(f"Area of a {length} by {width} rectangle?", length, [("*", width)], largest=999 * 99)
    length, steps = rng.randint(13, 99), [("*", width), ("*", height)]
    return Draft(f"Volume of a {length} by {width} by {height} box?", length, steps, largest=99 * 99 * 99)


def _intermediate_algebra(level: int, rng: random.Random) -> Draft:
    """The mistake: the terms are counted one short."""
    first, factor, shift = rng.randint(1, 60), rng.randint(2, 5), rng.randint(2, 9)
    sign = rng.choice("+-")
    rule, following = ([(sign, shift)], "a") if level % 2 else ([("*", factor), (sign, shift)], f"{factor}a")
    times = level if level % 2 else level // 2
    question = f"First term {first}, next is {following}{sign}{shift}, term {times + 1}?"
    return Draft(question, first, rule * times, (first, rule * (times - 1)) if level > 2 else None)


def _precalculus(level: int, rng: random.Random) -> Draft:
    """The mistake: the last time f is applied, its sum is computed before its product."""
    x, factor, shift, more = rng.randint(1, 60), rng.randint(2, 5), rng.randint(2, 9), rng.randint(2, 9)
    sign = rng.choice("+-")
    if level == 1:
        return Draft(f"f(x)=x{sign}{shift}, f({x})?", x, [(sign, shift)])
    f = [("*", factor), (sign, shift)]
    question = {
        2: f"f({x})?",
        3: f"g(x)=x+{more}, g(f({x}))?",
        4: f"f(f({x}))?",
        5: f"g(x)=x+{more}, g(f(f({x})))?",
    }[level]
    first = f if level > 3 else []
    last = [("+", more)] if level % 2 else []
    return Draft(f"f(x)={factor}x{sign}{shift}, {question}", x, [*first, *f, *last], (x, [*first, *f[::-1], *last]))


SUBJECTS: dict[str, Callable[[int, random.Random], Draft]] = {
    "Prealgebra": _prealgebra,
    "Algebra": _algebra,
    "Number Theory": _number_theory,
    "Counting": _counting,
    "Geometry": _geometry,
    "Intermediate Algebra": _intermediate_algebra,
    "Precalculus": _precalculus,
}


def draw(subject: str, level: int, rng: random.Random) -> Problem:
    """Draw one problem of ``subject`` and ``level``.

    It is drawn again if a number leaves its range, or if the common mistake gives the right answer.
    """
    while True:
        try:
            draft = SUBJECTS[subject](level, rng)
            answer, solution = chain(draft.start, draft.steps, draft.largest)
            mistaken = chain(*draft.mistake) if draft.mistake else None
        except OutOfRangeError:
            continue
        if mistaken is None or mistaken[0] != answer:
            mistake = (str(mistaken[0]), mistaken[1]) if mistaken else None
            return Problem(subject, level, draft.prompt, str(answer), solution, mistake)


def practice(rng: random.Random, chains: int, steps: int) -> str:
    """A page of plain arithmetic: ``chains`` random chains of ``steps`` steps, each from a number between 0 and 99."""
    pieces = []
    while len(pieces) < chains:
        operations = [(rng.choice("+-*/%"), rng.randint(2, 9)) for _ in range(steps)]
        try:
            pieces.append(chain(rng.randint(0, 99), operations)[1])
        except OutOfRangeError:
            continue
    return ",".join(pieces)


def stream(rng: random.Random, levels: Collection[int], avoid: set[str]) -> Iterator[Problem]:
    """Endless problems of ``levels`` with prompts that are not in ``avoid``; subject and level are drawn uniformly.

    The caller adds the prompts that it keeps to ``avoid``. Raises LimrError when there are no new problems left.
    """
    subjects, levels = list(SUBJECTS), sorted(levels)
    endless = (draw(rng.choice(subjects), rng.choice(levels), rng) for _ in repeat(None))
    return unseen(endless, avoid, f"levels {levels}")


def unseen(problems: Iterable[Problem], avoid: set[str], kind: str) -> Iterator[Problem]:
    """Those of the endless ``problems`` with prompts that are not in ``avoid``. An error names them by ``kind``.

    Raises LimrError when there are no new problems left.
    """
    skipped = 0
    for problem in problems:
        if problem.prompt in avoid:
            skipped += 1
            if skipped > 10_000:
                raise LimrError(
                    f"no new problems of {kind} are left after {len(avoid):,} prompts",
                    advice="Ask for fewer problems.",
                )
            continue
        skipped = 0
        yield problem
