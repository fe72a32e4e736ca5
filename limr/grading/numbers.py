r"""Numerals: texts that are an exact rational number and leave no arithmetic to do.

These are integers, decimals, repeating decimals, thousands separators, fractions, mixed numbers and scientific
notation. A sum, a product, a power or a root is never a numeral: it is not evaluated. ``3\div4`` is another notation of
a fraction, but ``24\div2`` is an integer that still has to be calculated.
"""

import re
from fractions import Fraction

LONGEST = 80
"""Longer texts are not read: converting digits takes more than linear time, and Python refuses thousands of digits."""

LARGEST_EXPONENT = 400

_DECIMAL = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+(?:\.\d*)?|\.\d+)"
_SIGN = r"([-+]?)"
_PLAIN = re.compile(rf"{_SIGN}({_DECIMAL})")
_REPEATING = re.compile(rf"{_SIGN}(\d*)\.(\d*)\\overline\{{(\d+)\}}")
_FRACTION = re.compile(
    rf"{_SIGN}\\frac\{{{_SIGN}({_DECIMAL})\}}\{{{_SIGN}({_DECIMAL})\}}|{_SIGN}({_DECIMAL})/{_SIGN}({_DECIMAL})"
)
_DIVISION = re.compile(rf"{_SIGN}(\d+)\\div(?:{_SIGN}(\d+))")
_MIXED = re.compile(rf"{_SIGN}(\d+)(?:\\frac\{{(\d+)\}}\{{(\d+)\}}| (\d+)/(\d+))")
_SCIENTIFIC = re.compile(rf"{_SIGN}(?:({_DECIMAL})(?:\\cdot))?10\^\{{([-+]?\d+)\}}|{_SIGN}({_DECIMAL})[eE]([-+]?\d+)")


def numeral(text: str) -> Fraction | None:
    r"""The exact value of ``text``, in normal form; None if it is not a numeral.

    >>> numeral("27.0"), numeral(r"-\frac{1}{2}"), numeral(r"3\frac{1}{8}"), numeral("15,600")
    (Fraction(27, 1), Fraction(-1, 2), Fraction(25, 8), Fraction(15600, 1))
    >>> numeral(r"0.\overline{3}"), numeral(r"1.2\cdot10^{-3}"), numeral("2/0"), numeral("3+8")
    (Fraction(1, 3), Fraction(3, 2500), None, None)
    >>> numeral(r"3\div4"), numeral(r"24\div2")
    (Fraction(3, 4), None)
    """
    if len(text) > LONGEST:
        return None
    if text.isdecimal():
        return Fraction(int(text))
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    if found := _PLAIN.fullmatch(text):
        return _signed(_decimal(found[2]), found[1])
    if found := _FRACTION.fullmatch(text):
        sign, top_sign, top, bottom_sign, bottom = found.groups()[:5] if found[3] else ("", *found.groups()[5:])
        divisor = _decimal(bottom)
        return _signed(_decimal(top) / divisor, sign, top_sign, bottom_sign) if divisor else None
    if found := _MIXED.fullmatch(text):
        sign, whole, top, bottom = found[1], int(found[2]), int(found[3] or found[5]), int(found[4] or found[6])
        return _signed(whole + Fraction(top, bottom), sign) if 0 < top < bottom else None
    if found := _DIVISION.fullmatch(text):
        top, bottom = int(found[2]), int(found[4])
        return _signed(Fraction(top, bottom), found[1], found[3]) if bottom and top % bottom else None
    if found := _SCIENTIFIC.fullmatch(text):
        sign, mantissa, exponent = (found[1], found[2] or "1", found[3]) if found[3] else found.groups()[3:]
        return _scientific(_signed(_decimal(mantissa), sign), int(exponent))
    if found := _REPEATING.fullmatch(text):
        return _signed(_repeating(found[2], found[3], found[4]), found[1])
    return None


def _decimal(digits: str) -> Fraction:
    return Fraction(digits.replace(",", ""))


def _signed(value: Fraction, *signs: str) -> Fraction:
    return -value if "".join(signs).count("-") % 2 else value


def _scientific(mantissa: Fraction, exponent: int) -> Fraction | None:
    return mantissa * Fraction(10) ** exponent if abs(exponent) <= LARGEST_EXPONENT else None


def _repeating(whole: str, start: str, period: str) -> Fraction:
    tail = Fraction(int(period), (10 ** len(period) - 1) * 10 ** len(start))
    return Fraction(f"{whole or 0}.{start or 0}") + tail
