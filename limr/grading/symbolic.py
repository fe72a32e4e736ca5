r"""Computer algebra on single expressions. It may take long or raise, so it runs in worker processes only.

Math-Verify's parser (latex2sympy2_extended) reads an expression; whether two are equal is decided by their values at
fixed points, to 50 digits: exact where Math-Verify's ``verify`` rounds to six decimals, and faster than ``simplify``.
``verify`` decides what has no value at a point: sets written with ``\setminus`` or ``\mathbb{R}``.

Nothing here evaluates text. The parser builds sympy's objects from a grammar; its own roads to ``parse_expr`` (values
given for variables, and Math-Verify's ``parse`` for plain text) are not taken. Sums, products, integrals and limits,
whose evaluation makes sympy compile code, and ``\operatorname`` do not pass the guard.
"""

import logging
import re
from fractions import Fraction

import mpmath
from latex2sympy2_extended import latex2sympy
from latex2sympy2_extended.latex2sympy2 import ConversionConfig
from math_verify import verify
from sympy import Add, Basic, Eq, Expr, I, Mul, Rational, Symbol
from sympy.core.function import AppliedUndef

from limr.grading.normal_form import normal_form
from limr.grading.plain import compare_plain
from limr.grading.structure import compare as compare_structure
from limr.grading.units import split_unit

DIGITS = 50
TOLERANCE = mpmath.mpf(10) ** -40
MOST_DIGITS = 20_000
"""To so many digits, at most, are two numbers compared whose difference is far smaller than they are."""

_STEPS = (Fraction(13, 11), Fraction(37, 7), Fraction(-8, 7), Fraction(5, 37), Fraction(-103, 29), Fraction(211, 9))
ENOUGH_POINTS = 2
"""At fewer points no verdict is given; an expression may be real in a part of the plane only."""

_CONFIG = ConversionConfig(lowercase_symbols=False)
_DECIMAL = re.compile(r"(?<![\d.])(\d*)\.(\d+)(?![\d.])")
_IMAGINARY = re.compile(r"\\[A-Za-z]+|\{[A-Za-z]{2,}\}|i")
_DEGREE = "^{\\circ}"

logging.getLogger("math_verify").setLevel(logging.ERROR)  # it warns that its own time limits are off


def compare(gold: str, answer: str) -> bool:
    r"""Whether ``answer`` is equal to ``gold``; both LaTeX as it stands in ``\boxed{}``. What cannot be read is not.

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
    degrees = _DEGREE in gold and _DEGREE in answer  # left out in one, they are not what differs
    try:
        one, other = _parse(gold, degrees), _parse(answer, degrees)
    except Exception:  # the parser raises Exception itself
        return False
    if isinstance(one, Eq) and isinstance(other, Eq):
        return _same_equation(one, other)
    if isinstance(one, Expr) and isinstance(other, Expr):
        return (not _is_uncollected(other) or _is_uncollected(one)) and _same_value(one, other)
    return verify(one, other, timeout_seconds=None)


def _parse(text: str, degrees: bool) -> Basic:
    """Read one expression; decimals become fractions, so that nothing is ever rounded."""
    text = _DECIMAL.sub(_as_fraction, text)
    text = _IMAGINARY.sub(lambda match: "I" if match.group() == "i" else match.group(), text)
    expression = latex2sympy(text, convert_degrees=degrees, normalization_config=None, conversion_config=_CONFIG)
    if isinstance(expression, Expr):  # f(x) has no value at a point; as a variable of that name it has
        unknown = {each: Symbol(str(each)) for each in expression.atoms(AppliedUndef)}
        return expression.xreplace(unknown) if unknown else expression
    return expression


def _as_fraction(match: re.Match[str]) -> str:
    return rf"\frac{{{match[1]}{match[2]}}}{{1{'0' * len(match[2])}}}"


def _is_uncollected(expression: Expr) -> bool:
    """Whether a sum has terms left to add up: 3 + 8, 5x + 6x."""
    if not isinstance(expression, Add):
        return False
    kinds = [Mul(*Mul.make_args(term)).as_coeff_Mul()[1] for term in expression.args]
    kinds = [1 if kind.is_rational else kind for kind in kinds]
    return len(set(kinds)) < len(kinds)


def _same_equation(one: Eq, other: Eq) -> bool:
    """Whether one equation is the other times a constant."""
    ratios = []
    for left, right in _values(one.lhs - one.rhs, other.lhs - other.rhs):
        if not left or not right:
            return False
        ratios.append(left / right)
    return len(ratios) >= ENOUGH_POINTS and all(_close(ratio, ratios[0]) for ratio in ratios)


def _same_value(one: Expr, other: Expr) -> bool:
    values = _values(one, other)
    is_number = not (one.free_symbols | other.free_symbols)
    if len(values) >= (1 if is_number else ENOUGH_POINTS):
        return all(_close(left, right) for left, right in values)
    return verify(one, other, timeout_seconds=None)


def _values(one: Expr, other: Expr) -> list[tuple[mpmath.mpc, mpmath.mpc]]:
    """What both are at each point where both have a value, and a real one unless i occurs in them."""
    symbols = sorted(one.free_symbols | other.free_symbols, key=str)
    complex_numbers = one.has(I) or other.has(I)
    pairs = []
    for step in _STEPS if symbols else _STEPS[:1]:
        # the variables' values are no simple multiples of each other, and of both signs
        point = {
            symbol: Rational(step * (1 - 3 * (index % 2)) + Fraction(index, 7)) for index, symbol in enumerate(symbols)
        }
        pair = _value(one, point), _value(other, point)
        if None not in pair and (complex_numbers or all(_is_real(value) for value in pair)):
            pairs.append(pair)
    return pairs


def _value(expression: Expr, point: dict[Symbol, Rational]) -> mpmath.mpc | None:
    """The value to ``DIGITS`` digits behind the point, or None where there is none."""
    rough = expression.evalf(15, subs=point)
    if not rough.is_number or not rough.is_finite:
        return None
    size = abs(rough)
    digits = DIGITS + (min(int(mpmath.log10(mpmath.mpf(size))), MOST_DIGITS) if size > 1 else 0)
    parts = expression.evalf(digits, subs=point, maxn=2 * digits).as_real_imag()
    with mpmath.workdps(digits):
        return mpmath.mpc(*(mpmath.mpf(part) for part in parts))


def _is_real(value: mpmath.mpc) -> bool:
    return abs(value.imag) <= abs(value) * TOLERANCE


def _close(one: mpmath.mpc, other: mpmath.mpc) -> bool:
    with mpmath.workdps(MOST_DIGITS + DIGITS):
        return abs(one - other) <= min(1, max(abs(one), abs(other))) * TOLERANCE
