r"""Compares single expressions without algebra: numerals, units, numbers in other bases, words."""

import re

from limr.grading.numbers import numeral
from limr.grading.units import CURRENCY, split_unit, units_agree

_BASE = re.compile(
    r"(-?)\(?([0-9A-Z.]+)\)?(?:_\{\(?(\d+|\\text\{[a-z]+\})\)?\}|\\text\{base\}\(?(\d+|\\text\{[a-z]+\})\)?)"
)
LONG_NUMBER = 4
"""A gold with at least this many digits may be a number in the base that the answer names.

Four golds of MATH-FULL are numbers in another base but do not name it (110111, 2003, 10000, 1011100)."""

_BASE_WORDS = {
    **{"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10},
    **{"eleven": 11, "twelve": 12, "sixteen": 16},
}
_WORD_MARKS = str.maketrans("", "", " {}().,'")
_HYPHEN = re.compile(r"(?<=[A-Za-z}])-(?=\\text\{)|(?<=\})-")  # next to a word; elsewhere it is a minus sign
_VARIABLES = re.compile(r"\\[A-Za-z]+|([A-Za-z])")


def compare_plain(gold: str, answer: str) -> bool | None:
    """Whether two single expressions in normal form are equal; None if only algebra can decide."""
    if gold == answer:
        return bool(gold)
    if "=" in gold or "=" in answer:
        return None
    bases = number_in_base(gold), number_in_base(answer)
    if any(bases):
        return _same_digits(*bases, gold, answer)
    if gold.startswith("\\text{") and not CURRENCY.match(gold):
        return _letters(gold) == _letters(answer)
    gold, gold_unit = split_unit(gold)
    answer, answer_unit = split_unit(answer)
    if gold_unit == "%" or answer_unit == "%":
        return _same_percentage(gold, gold_unit, answer, answer_unit)
    if not units_agree(gold_unit, answer_unit):
        return False
    value, answered = numeral(gold), numeral(answer)
    if value is not None:
        return value == answered  # an answer that is not a numeral is not evaluated
    if gold == answer:
        return bool(gold)
    if "\\text" in gold or "\\text" in answer:
        return _letters(gold) == _letters(answer)
    if answered is not None and has_variables(gold):
        return False
    return None


def number_in_base(text: str) -> tuple[str, int] | None:
    r"""The digits and the base of a number like ``1011_{2}``; None for anything else, such as a name with an index.

    >>> number_in_base(r"4343_{6}"), number_in_base(r"A5_{11}"), number_in_base("x_{1}"), number_in_base("9_{7}")
    (('4343', 6), ('A5', 11), None, None)
    """
    match = _BASE.fullmatch(text)
    if match is None:
        return None
    written = match[3] or match[4]
    base = int(written[:3]) if written.isdigit() else _BASE_WORDS.get(written[len("\\text{") : -1], 0)
    digits = match[2]
    fits = all(digit == "." or int(digit, 36) < base for digit in digits)
    return (match[1] + (digits.lstrip("0") or "0"), base) if fits and 2 <= base <= 36 else None


def has_variables(text: str) -> bool:
    """Whether an expression has letters other than the constants e and i."""
    return any(letter and letter not in "ei" for letter in _VARIABLES.findall(text))


def _same_digits(
    gold_base: tuple[str, int] | None, answer_base: tuple[str, int] | None, gold: str, answer: str
) -> bool:
    """Bases are compared, never converted. The answer may leave the base out, or add it where the gold has none."""
    if gold_base and answer_base:
        return gold_base == answer_base
    if gold_base:
        return gold_base[0] == (answer.lstrip("0") or "0")
    digits, base = answer_base
    return digits == (gold.lstrip("0") or "0") and (base == 10 or len(digits) >= LONG_NUMBER)


def _same_percentage(gold: str, gold_unit: str, answer: str, answer_unit: str) -> bool | None:
    """Whether both are the same percentage.

    The answer may leave the percent sign out, divide by 100 (0.2 for 20%), or add the sign to a gold from 1 to 100.
    """
    if not {gold_unit, answer_unit} <= {"%", ""}:
        return False
    value, answered = numeral(gold), numeral(answer)
    if value is None or answered is None:
        return None if value is None and gold_unit == answer_unit else False
    if gold_unit == answer_unit:
        return value == answered
    if gold_unit:
        return answered in (value, value / 100)
    is_percentage = 1 <= value <= 100 and "/" not in gold and "\\" not in gold
    return value == answered / 100 or (value == answered and is_percentage)


def _letters(text: str) -> str:
    return _HYPHEN.sub("", text).replace("\\text", "").translate(_WORD_MARKS).lower()
