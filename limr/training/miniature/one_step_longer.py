"""Level 6: problems that are one step longer than any of the training set. Only benchmarks have them.

Counting and Geometry have no level 6: the top of these subjects is larger products, not more steps.
"""

import random
from collections.abc import Callable

from limr.training.miniature.problems import OutOfRangeError, Problem, chain

LEVEL = 6

Longer = tuple[str, int, list[tuple[str, int]]]  # prompt, first number, steps


def _prealgebra(rng: random.Random) -> Longer:
    start = rng.randint(2, 90)
    steps = [(rng.choice("+-"), rng.randint(2, 9)) for _ in range(LEVEL)]
    return f"Compute {start}{''.join(f'{sign}{operand}' for sign, operand in steps)}.", start, steps


def _algebra(rng: random.Random) -> Longer:
    x = rng.randint(1, 40)
    a, b, d, k, m, n = (rng.randint(2, 9) for _ in range(6))
    right, _ = chain(x, [("*", m), ("+", b), ("*", k), ("-", d), ("*", n), ("+", a)])
    steps = [("-", a), ("/", n), ("+", d), ("/", k), ("-", b), ("/", m)]
    return f"Solve {n}({k}({m}x+{b})-{d})+{a}={right}.", right, steps


def _number_theory(rng: random.Random) -> Longer:
    a, b, c, d, m = (rng.randint(2, 9) for _ in range(5))
    steps = [("*", b), ("%", m), ("*", c), ("%", m), ("*", d), ("%", m)]
    return f"Find {a}*{b}*{c}*{d} mod {m}.", a, steps


def _intermediate_algebra(rng: random.Random) -> Longer:
    first, factor, shift, sign = rng.randint(1, 60), rng.randint(2, 5), rng.randint(2, 9), rng.choice("+-")
    return f"First term {first}, next is {factor}a{sign}{shift}, term 4?", first, [("*", factor), (sign, shift)] * 3


def _precalculus(rng: random.Random) -> Longer:
    x, factor, shift, sign = rng.randint(1, 60), rng.randint(2, 5), rng.randint(2, 9), rng.choice("+-")
    return f"f(x)={factor}x{sign}{shift}, f(f(f({x})))?", x, [("*", factor), (sign, shift)] * 3


LONGER: dict[str, Callable[[random.Random], Longer]] = {
    "Prealgebra": _prealgebra,
    "Algebra": _algebra,
    "Number Theory": _number_theory,
    "Intermediate Algebra": _intermediate_algebra,
    "Precalculus": _precalculus,
}


def draw_longer(subject: str, rng: random.Random) -> Problem:
    """Draw one problem of ``subject`` and level 6. One with a chain that leaves the range 0 to 99 is drawn again."""
    while True:
        try:
            prompt, start, steps = LONGER[subject](rng)
            answer, solution = chain(start, steps)
        except OutOfRangeError:
            continue
        return Problem(subject, LEVEL, prompt, str(answer), solution)
