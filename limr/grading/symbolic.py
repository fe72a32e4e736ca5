r"""Computer algebra on single expressions. It may take long or raise, so it runs in worker processes only.

Math-Verify's parser (latex2sympy2_extended) reads an expression. Two expressions are equal when their values agree at
fixed points, to 40 digits. This is exact where Math-Verify's ``verify`` rounds to six decimals and drops digits after
the fifteenth, and it is faster than ``verify``'s ``simplify``. Only sets written with ``\mathbb{R}``, ``\setminus`` or
``\cap`` are compared by ``verify``.

Nothing here evaluates text. The parser builds sympy's objects from a grammar. It could reach ``parse_expr`` in three
ways, which this module avoids. It gives no values for variables, does not call Math-Verify's ``parse`` for plain text,
and reads the digits of numbers in ``_Reader``, because the parser would give them to ``sympy.Number``. The guard
refuses ``\operatorname``, and the signs of sums, products, integrals and limits, which sympy evaluates by compiling
code.
"""

import logging
import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

import mpmath
from latex2sympy2_extended.latex2sympy2 import ConversionConfig, _Latex2Sympy
from math_verify import verify
from sympy import Add, Basic, Eq, Expr, Float, I, Integer, Mul, Rational, Set, Symbol
from sympy.core.function import AppliedUndef

from limr.grading.normal_form import normal_form
from limr.grading.plain import compare_plain
from limr.grading.structure_comparison import compare as compare_structure
from limr.grading.units import ANGLE_OF, split_unit

DIGITS = 60
TOLERANCE = mpmath.mpf(10) ** -40
LARGE = 10**10
MOST_DIGITS = 20_000
"""Two large numbers with a small difference are compared to at most this many digits."""

# the value of a variable at each point; the next variable gets the values of the next point, plus a small shift
_STEPS = (Fraction(13, 11), Fraction(37, 7), Fraction(-8, 7), Fraction(5, 37), Fraction(-103, 29), Fraction(211, 9))
ENOUGH_POINTS = 2
"""Two expressions must agree at this many points at least. Some expressions are not real at every point."""

_CONFIG = ConversionConfig(lowercase_symbols=False)
_DECIMAL = re.compile(r"(?<![\d.])(\d*)\.(\d+)(?![\d.])")
_IMAGINARY = re.compile(r"\\[A-Za-z]+|\{[A-Za-z]{2,}\}|i\^?")
_UNIT = {"i": "I", "i^": "{I}^"}  # the parser drops the exponent in I^{2}, but not in {I}^{2}
_DEGREE = "^{\\circ}"

logging.getLogger("math_verify").setLevel(logging.ERROR)  # it warns that its time limits are off


def compare(gold: str, answer: str) -> bool:
    r"""Whether ``answer`` is equal to ``gold``, both LaTeX as in ``\boxed{}``. Unreadable text is not equal.

    >>> compare(r"\frac{\sqrt{3}}{3}", r"\frac{1}{\sqrt3}")
    True
    >>> compare(r"10^{-30}\pi", r"2\cdot10^{-30}\pi")
    False
    """
    return bool(compare_structure(normal_form(gold), normal_form(answer), _compare_leaf))


def _compare_leaf(gold: str, answer: str) -> bool:
    verdict = compare_plain(gold, answer)
    if verdict is not None:
        return verdict
    (gold, _), (answer, _) = split_unit(gold), split_unit(answer)
    degrees = not _are_degrees_left_out(gold, answer)
    try:
        one, other = _parse_gold(gold, degrees), _parse(answer, degrees)
    except Exception:  # the parser raises Exception itself
        return False
    if isinstance(one, Eq) and isinstance(other, Eq):
        return _same_equation(one, other)
    if isinstance(one, Expr) and isinstance(other, Expr):
        return (not _is_uncollected(other) or _is_uncollected(one)) and _same_value(one, other)
    return isinstance(one, Set) and isinstance(other, Set) and verify(one, other, timeout_seconds=None)


def _are_degrees_left_out(gold: str, answer: str) -> bool:
    """Whether one text has a degree sign and the other has a function of an angle without it."""
    without = [text for text in (gold, answer) if _DEGREE not in text]
    return len(without) == 1 and ANGLE_OF.search(without[0]) is not None


def _parse(text: str, degrees: bool) -> Basic:
    """Read one expression. Decimals become fractions, so that nothing is rounded."""
    text = _DECIMAL.sub(_as_fraction, text)
    text = _IMAGINARY.sub(lambda match: _UNIT.get(match.group(), match.group()), text)
    expression = _Reader(convert_degrees=degrees, config=_CONFIG).parse(text)
    if isinstance(expression, Expr):  # f(x) has no value at a point, so it becomes a variable of that name
        unknown = {each: Symbol(str(each)) for each in expression.atoms(AppliedUndef)}
        return expression.xreplace(unknown) if unknown else expression
    return expression


class _Reader(_Latex2Sympy):
    """Math-Verify's parser, except that it does not give numbers to sympy as text: sympy would evaluate it as code."""

    def parse_number(self, text: str) -> Rational:
        if not text.isdecimal():
            raise ValueError(f"not an integer: {text!r}")
        return Integer(int(text))


_parse_gold = lru_cache(maxsize=512)(_parse)  # the answers to one problem come one after the other


def _as_fraction(match: re.Match[str]) -> str:
    return rf"\frac{{{match[1]}{match[2]}}}{{1{'0' * len(match[2])}}}"


def _is_uncollected(expression: Expr) -> bool:
    """Whether a sum has terms left to add up: 3 + 8, 5x + 6x, x + 0."""
    if not isinstance(expression, Add):
        return False
    kinds = [Mul(*Mul.make_args(term)).as_coeff_Mul()[1] for term in expression.args]
    kinds = [1 if kind.is_rational else kind for kind in kinds]
    return len(set(kinds)) < len(kinds) or 0 in expression.args


def _same_equation(one: Eq, other: Eq) -> bool:
    """Whether one equation is a constant multiple of the other."""
    first, points = None, 0
    for left, right in _values(one.lhs - one.rhs, other.lhs - other.rhs):
        if not left or not right:
            return False
        first = first or left / right
        if not _close(left / right, first):
            return False
        points += 1
    return points >= ENOUGH_POINTS


def _same_value(one: Expr, other: Expr) -> bool:
    points = 0
    for left, right in _values(one, other):
        if not _close(left, right):
            return False
        points += 1
    return points >= (ENOUGH_POINTS if one.free_symbols | other.free_symbols else 1)


def _values(one: Expr, other: Expr) -> Iterator[tuple[mpmath.mpc, mpmath.mpc]]:
    """The values of both at each point where both have one. The values must be real unless i occurs in one of them."""
    symbols = sorted(one.free_symbols | other.free_symbols, key=str)
    complex_numbers = one.has(I) or other.has(I)
    for row in range(len(_STEPS) if symbols else 1):
        point = {
            symbol: Rational(_STEPS[(row + index) % len(_STEPS)] + Fraction(index**2, 7))
            for index, symbol in enumerate(symbols)
        }
        pair = _value(one, point), _value(other, point)
        if None not in pair and (complex_numbers or all(map(_is_real, pair))):
            yield pair


def _value(expression: Expr, point: dict[Symbol, Rational]) -> mpmath.mpc | None:
    """The value to ``DIGITS`` digits, for a large value after the decimal point; None if there is no value."""
    value = expression.evalf(DIGITS, subs=point)
    if not value.is_number or not value.is_finite:
        return None
    digits = DIGITS
    if abs(value) > LARGE:
        digits += min(int(mpmath.log10(mpmath.mpf(abs(value)))), MOST_DIGITS)
        value = expression.evalf(digits, subs=point, maxn=2 * digits)
    with mpmath.workdps(digits):
        return mpmath.mpc(*(mpmath.mpf(0 if _is_all_noise(part) else part) for part in value.as_real_imag()))


def _is_all_noise(part: Expr) -> bool:
    """Whether a number has no correct digit, as 1 - 1 with the value 5e-191: sympy then calls it not comparable."""
    return isinstance(part, Float) and not part.is_comparable


def _is_real(value: mpmath.mpc) -> bool:
    return abs(value.imag) <= abs(value) * TOLERANCE


def _close(one: mpmath.mpc, other: mpmath.mpc) -> bool:
    with mpmath.workdps(MOST_DIGITS + DIGITS):
        return abs(one - other) <= min(1, max(abs(one), abs(other))) * TOLERANCE
