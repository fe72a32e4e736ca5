"""Numerals are read exactly; units and bases are split off and compared by meaning."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limr.grading.numbers import numeral
from limr.grading.plain import compare_plain, number_in_base
from limr.grading.units import split_unit, units_agree


@given(st.integers(-(10**20), 10**20))
def test_integers_are_read_exactly(number):
    assert numeral(str(number)) == number
    assert numeral(f"{number:,}") == number
    assert numeral(f"{number}.0") == number


@given(st.integers(-999, 999), st.integers(1, 999))
def test_fractions_are_read_exactly(top, bottom):
    value = Fraction(top, bottom)
    assert numeral(rf"\frac{{{top}}}{{{bottom}}}") == value
    assert numeral(f"{top}/{bottom}") == value
    assert numeral(rf"-\frac{{{top}}}{{-{bottom}}}") == value


@given(st.integers(-999, 999), st.integers(1, 999))
def test_a_division_sign_makes_a_fraction_but_a_whole_quotient_still_has_to_be_calculated(top, bottom):
    expected = Fraction(top, bottom) if top % bottom else None
    assert numeral(rf"{top}\div{bottom}") == expected
    assert numeral(rf"{top}\div0") is None


@given(st.integers(-99, 99), st.integers(1, 99), st.integers(2, 99))
def test_mixed_numbers_are_sums(whole, top, bottom):
    value = abs(whole) + Fraction(top, bottom)
    expected = (-value if whole < 0 else value) if top < bottom else None
    assert numeral(rf"{whole}\frac{{{top}}}{{{bottom}}}") == expected
    assert numeral(f"{whole} {top}/{bottom}") == expected


@given(st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-1000, max_value=1000))
def test_decimals_are_read_exactly(number):
    assert numeral(f"{number:f}") == Fraction(number)


@pytest.mark.parametrize(
    "text",
    ["", "-", ".", "3+8", r"2\cdot3", "2^{10}", r"\sqrt{16}", "5!", "1/0", r"\frac{1}{0}", "x", "1,2", "12,34", "①"],
)
def test_a_text_that_is_not_a_finished_number_is_not_a_numeral(text):
    assert numeral(text) is None


@pytest.mark.parametrize("text", ["9" * 5000, "1e999999999", r"10^{99999999}", "0." + "3" * 5000])
def test_huge_numerals_are_not_converted(text):
    assert numeral(text) is None


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        (r"10\text{square centimeters}", ("10", "centimeter^2")),
        (r"10\text{sq units}", ("10", "unit^2")),
        (r"10\text{inches}^{3}", ("10", "inch^3")),
        (r"10\text{feet}", ("10", "foot")),
        (r"\$5", ("5", "dollar")),
        (r"\$5\text{dollars}", ("5", "dollar")),
        (r"\text{euro}5", ("5", "euro")),
        (r"45^{\circ}", ("45", "degree")),
        (r"\cos45^{\circ}", (r"\cos45^{\circ}", "")),
        (r"20%", ("20", "%")),
        (r"60\text{miles/hour}", ("60", "mph")),
        (r"\text{saturday}", (r"\text{saturday}", "")),
    ],
)
def test_units_are_split_off_and_get_one_name(text, unit):
    assert split_unit(text) == unit


def test_a_unit_may_be_missing_or_shorter_but_not_different():
    assert units_agree("meter", "")
    assert units_agree("", "meter")
    assert units_agree("right triangle", "triangle")
    assert not units_agree("centimeter", "centimeter^2")
    assert not units_agree("triangle", "angle")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("4343_{6}", ("4343", 6)),
        ("-221_{3}", ("-221", 3)),
        ("0.0011_{2}", (".0011", 2)),
        ("152A_{11}", ("152A", 11)),
        (r"(12)_{\text{seven}}", ("12", 7)),
        (r"12\text{base}7", ("12", 7)),
        ("x_{1}", None),
        ("9_{7}", None),
        ("1_{1}", None),
        ("12", None),
    ],
)
def test_a_number_in_a_base_has_only_digits_of_that_base(text, number):
    assert number_in_base(text) == number


def test_only_algebra_compares_roots_unless_the_gold_is_a_number():
    assert compare_plain(r"2\sqrt{3}", r"\sqrt{12}") is None
    assert compare_plain("3", r"\sqrt{9}") is False
    assert compare_plain("x+1", "3") is False
