"""The miniature's mathematics: synthetic problems with a subject, a level, an exact answer and a worked solution.

There are seven subjects, named after those of MATH, with five levels each. At a higher level the worked solution has
more steps, or larger ones. Most steps are sums, products or remainders below 100, which a tiny model can learn. The
upper levels of counting and geometry need products of two-digit numbers, which this model cannot learn.
"""

import random
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat

from limr.errors import LimrError

LEVELS = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Problem:
    """One problem. ``solution`` shows the steps (``7+5->12-3->9``) and ends with the answer, without a box."""

    subject: str
    level: int
    prompt: str
    answer: str
    solution: str


class OutOfRangeError(Exception):
    """A step gives a number outside 0 to 99, or a division has a remainder; the problem is drawn again."""


_OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}


def chain(start: int, steps: list[tuple[str, int]]) -> tuple[int, str]:
    """Apply ``steps`` to ``start`` one after another. Returns the result and the worked text.

    >>> chain(7, [("+", 5), ("-", 3)])
    (9, '7+5->12-3->9')
    """
    value, text = start, str(start)
    for sign, operand in steps:
        if sign == "/" and value % operand:
            raise OutOfRangeError
        value = _OPERATIONS[sign](value, operand)
        if not 0 <= value <= 99:
            raise OutOfRangeError
        text += f"{sign}{operand}->{value}"
    return value, text


def _prealgebra(level: int, rng: random.Random) -> tuple[str, int, str]:
    start = rng.randint(2, 90)
    steps = [(rng.choice("+-"), rng.randint(2, 9)) for _ in range(level)]
    answer, text = chain(start, steps)
    return f"Compute {start}{''.join(f'{sign}{operand}' for sign, operand in steps)}.", answer, text


def _algebra(level: int, rng: random.Random) -> tuple[str, int, str]:
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
    answer, text = chain(right, [(undo[sign], operand) for sign, operand in reversed(forward)])
    return f"Solve {equation}={right}.", answer, text


def _number_theory(level: int, rng: random.Random) -> tuple[str, int, str]:
    a, b, c, d, m = (rng.randint(2, 9) for _ in range(5))
    large = rng.randint(10, 99)
    start, steps, expression = {
        1: (large, [("%", m)], f"{large}"),
        2: (large, [("+", b), ("%", m)], f"{large}+{b}"),
        3: (a, [("*", b), ("+", c), ("%", m)], f"{a}*{b}+{c}"),
        4: (a, [("*", b), ("%", m), ("*", c), ("%", m)], f"{a}*{b}*{c}"),
        5: (a, [("*", b), ("%", m), ("*", c), ("+", d), ("%", m)], f"{a}*{b}*{c}+{d}"),
    }[level]
    answer, text = chain(start, steps)
    return f"Find {expression} mod {m}.", answer, text


def _counting(level: int, rng: random.Random) -> tuple[str, int, str]:
    rows, seats = rng.randint(2, 49), rng.randint(2, 9)
    more, taken = rng.randint(2, 9), rng.randint(2, 9)
    if level == 1:
        answer, text = chain(rows, [("*", seats)])
        return f"Seats in {rows} rows of {seats}?", answer, text
    if level == 2:
        answer, text = chain(rows, [("*", seats), ("+", more)])
        return f"Seats in {rows} rows of {seats} and {more} more?", answer, text
    if level == 3:
        answer, text = chain(rows, [("*", seats), ("+", more), ("-", taken)])
        return f"Seats in {rows} rows of {seats} and {more} more, {taken} taken?", answer, text
    rows, seats = rng.randint(13, 99), rng.randint(13, 99)
    product = rows * seats
    if level == 4:
        return f"Seats in {rows} rows of {seats}?", product, f"{rows}*{seats}->{product}"
    return (
        f"Seats in {rows} rows of {seats} and {more} more?",
        product + more,
        (f"{rows}*{seats}->{product}+{more}->{product + more}"),
    )


def _geometry(level: int, rng: random.Random) -> tuple[str, int, str]:
    wide, high, less = rng.randint(2, 49), rng.randint(2, 9), rng.randint(2, 9)
    if level == 1:
        answer, text = chain(wide, [("*", high)])
        return f"Area of a {wide} by {high} rectangle?", answer, text
    if level == 2:
        answer, text = chain(wide, [("+", high), ("*", 2)])
        return f"Perimeter of a {wide} by {high} rectangle?", answer, text
    if level == 3:
        answer, text = chain(wide, [("+", high), ("*", 2), ("-", less)])
        return f"Perimeter of a {wide} by {high} rectangle less {less}?", answer, text
    length, width, height = (rng.randint(13, 60) for _ in range(3))
    base = length * width
    if level == 4:
        return f"Area of a {length} by {width} rectangle?", base, f"{length}*{width}->{base}"
    return (
        f"Volume of a {length} by {width} by {height} box?",
        base * height,
        f"{length}*{width}->{base}*{height}->{base * height}",
    )


def _intermediate_algebra(level: int, rng: random.Random) -> tuple[str, int, str]:
    first, factor, shift = rng.randint(1, 60), rng.randint(2, 5), rng.randint(2, 9)
    sign = rng.choice("+-")
    if level % 2:
        answer, text = chain(first, [(sign, shift)] * level)
        return f"First term {first}, next is a{sign}{shift}, term {level + 1}?", answer, text
    answer, text = chain(first, [("*", factor), (sign, shift)] * (level // 2))
    return f"First term {first}, next is {factor}a{sign}{shift}, term {level // 2 + 1}?", answer, text


def _precalculus(level: int, rng: random.Random) -> tuple[str, int, str]:
    x, factor, shift, scale = rng.randint(1, 60), rng.randint(2, 5), rng.randint(2, 9), rng.randint(2, 5)
    sign = rng.choice("+-")
    inner = [("*", factor), (sign, shift)]
    function = f"f(x)={factor}x{sign}{shift}"
    steps, question = {
        1: ([(sign, shift)], f"f(x)=x{sign}{shift}, f({x})?"),
        2: (inner, f"{function}, f({x})?"),
        3: ([*inner, ("*", scale)], f"{function}, g(x)={scale}x, g(f({x}))?"),
        4: ([*inner, *inner], f"{function}, f(f({x}))?"),
        5: ([*inner, *inner, ("*", scale)], f"{function}, g(x)={scale}x, g(f(f({x})))?"),
    }[level]
    answer, text = chain(x, steps)
    return question, answer, text


SUBJECTS: dict[str, Callable[[int, random.Random], tuple[str, int, str]]] = {
    "Prealgebra": _prealgebra,
    "Algebra": _algebra,
    "Number Theory": _number_theory,
    "Counting": _counting,
    "Geometry": _geometry,
    "Intermediate Algebra": _intermediate_algebra,
    "Precalculus": _precalculus,
}


def draw(subject: str, level: int, rng: random.Random) -> Problem:
    """Draw one problem of ``subject`` and ``level``. One with a chain that leaves the range 0 to 99 is drawn again."""
    while True:
        try:
            prompt, answer, solution = SUBJECTS[subject](level, rng)
        except OutOfRangeError:
            continue
        return Problem(subject, level, prompt, str(answer), solution)


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
