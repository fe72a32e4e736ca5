r"""The real gold answers, and a small reader of the plainest LaTeX among them.

The reader belongs to the tests and shares nothing with ``limr.grading``. So a form built with it (``equal_forms.py``,
``wrong_forms.py``) is known to be equal or different without the grader. It reads numbers, letters,
``\frac``, ``\sqrt``, powers, products, sums and brackets, and refuses everything else. It reads only golds, which
are trusted, and forms made from them; it never reads a model's output.
"""

import random
import re
from functools import cache

import sympy
from real_data import golds

NO_ANSWERS = ("",)

_TOKEN = re.compile(r"\s+|\d+\.\d+|\.\d+|\d+|\\[A-Za-z]+|\\.|.", re.DOTALL)
_SKIPPED = re.compile(r"\s+|\\[ ,;!]|\\left|\\right")
_FRACTIONS = ("\\frac", "\\dfrac", "\\tfrac")
_LONGEST = 64  # longer golds are not read: every form has plenty of shorter ones


def all_golds() -> list[str]:
    """The 9,093 golds of MATH-FULL and of the three benchmarks, in the order of the files, with duplicates."""
    return [answer for answers in golds().values() for answer in answers]


def distinct_golds(seed: int = 0) -> list[str]:
    """Each non-empty gold once, shuffled: the first n are a random sample."""
    golds = sorted(set(all_golds()) - set(NO_ANSWERS))
    random.Random(seed).shuffle(golds)
    return golds


def split_outside(text: str, separators: str) -> list[str]:
    """The parts of ``text`` between separators that are outside all brackets, without white space around them."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0 and character in separators:
            parts.append(text[start:position].strip())
            start = position + 1
    return [*parts, text[start:].strip()]


@cache
def read(text: str) -> sympy.Expr | None:
    r"""The value of ``text``, or None when it is anything but plain LaTeX arithmetic.

    >>> read(r"\frac{1}{2} + 3\sqrt2")
    1/2 + 3*sqrt(2)
    >>> read(r"\text{Evelyn}")
    """
    if len(text) > _LONGEST or re.search(r"\d\s*\\[dt]?frac\s*\{?\s*\d", text):  # a mixed number is not a product
        return None
    tokens = [token for token in _TOKEN.findall(text) if not _SKIPPED.fullmatch(token)]
    try:
        reader = _Reader(tokens)
        value = reader.sum()
        return value if reader.next_token is None and value.is_finite is not False else None
    except (_UnreadError, RecursionError):
        return None


def same(first: sympy.Expr, second: sympy.Expr) -> bool:
    """Whether two expressions agree, to 30 digits, at three points where no gold is singular."""
    for shift in (0, 7, 19):
        letters = sorted(first.free_symbols | second.free_symbols, key=str)
        point = {letter: sympy.Rational(1009 + shift * 31 + 97 * k, 353 + k) for k, letter in enumerate(letters)}
        gap = sympy.N((first - second).subs(point), 30, maxn=200, chop=True)
        if abs(gap) > 1e-20:
            return False
    return True


class _UnreadError(Exception):
    """The small reader cannot read a part of the text."""


class _Reader:
    """Recursive descent over the tokens of one text."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.position = 0

    @property
    def next_token(self) -> str | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def take(self, *wanted: str) -> str:
        token = self.next_token
        if token is None or (wanted and token not in wanted):
            raise _UnreadError(token)
        self.position += 1
        return token

    def sum(self) -> sympy.Expr:
        sign = -1 if self.next_token in ("+", "-") and self.take() == "-" else 1
        total = sign * self.product()
        while self.next_token in ("+", "-"):
            total += (-1 if self.take() == "-" else 1) * self.product()
        return total

    def product(self) -> sympy.Expr:
        total = self.power()
        while True:
            if self.next_token in ("\\cdot", "\\times", "*"):
                self.take()
                total *= self.power()
            elif self.next_token == "/":
                self.take()
                total /= self.power()
            elif self.next_token is not None and (
                self.next_token in "({" or self.next_token[0] == "\\" or self.next_token.isalpha()
            ):
                total *= self.power()
            else:
                return total

    def power(self) -> sympy.Expr:
        base = self.atom()
        if self.next_token != "^":
            return base
        self.take()
        return base ** self.argument()

    def atom(self) -> sympy.Expr:
        token = self.take()
        if token in ("(", "{"):
            value = self.sum()
            self.take({"(": ")", "{": "}"}[token])
            return value
        if token in _FRACTIONS:
            return self.argument() / self.argument()
        if token == "\\sqrt":
            return self.root()
        if token == "\\pi":
            return sympy.pi
        if re.fullmatch(r"[0-9.]+", token):
            return sympy.Rational(token)
        if re.fullmatch(r"[a-zA-Z]", token):
            return sympy.I if token == "i" else sympy.Symbol(token)
        raise _UnreadError(token)

    def root(self) -> sympy.Expr:
        degree = sympy.Integer(2)
        if self.next_token == "[":
            self.take()
            degree = self.sum()
            self.take("]")
        return self.argument() ** (1 / degree)

    def argument(self) -> sympy.Expr:
        r"""The argument of a command: a group, a command, or one character (``\frac12`` is one half)."""
        if self.next_token is not None and re.fullmatch(r"\d{2,}", self.next_token):
            digits = self.take()
            self.position -= 1
            self.tokens[self.position : self.position + 1] = list(digits)
        return self.atom()
