"""Relations give the value of a name, or the interval of a variable."""

import pytest

from limr.grading.relations import answered_value, interval, is_name, named_value
from limr.grading.structure import read


@pytest.mark.parametrize("text", ["x", "f(2)", "AB", "x_{1}", r"\angle ABC", "(x,y)", "a+b"])
def test_letters_without_a_number_to_evaluate_are_a_name(text):
    assert is_name(text)


@pytest.mark.parametrize("text", ["2x", "3+8", "x^{2}", "-x", "x!", "5", ""])
def test_anything_with_a_number_or_a_sign_is_not_a_name(text):
    assert not is_name(text)


@pytest.mark.parametrize(
    ("relation", "value"),
    [("x=5", "5"), ("5=x", "5"), ("n=2+3=5", "5"), ("x=6=5", None), ("2x=10", None), (r"x\in[1,2]", "[1,2]")],
)
def test_the_named_value_ends_a_chain_without_contradiction(relation, value):
    assert named_value(read(relation)) == value


def test_an_answer_gives_the_value_before_it_is_rounded():
    assert answered_value(read(r"x=\sqrt{2}\approx1.414")) == r"\sqrt{2}"
    assert answered_value(read(r"\sqrt{2}\approx1.414")) == r"\sqrt{2}"
    assert answered_value(read(r"x\approx1.414")) == "1.414"


@pytest.mark.parametrize(
    ("inequality", "expected"),
    [
        (r"-2<x\le 7", "(-2,7]"),
        ("x>3", r"(3,\infty)"),
        (r"x\le 3", r"(-\infty,3]"),
        (r"x\ne 3", r"(-\infty, 3)\cup( 3,\infty)"),
        ("x<y", None),
        ("1<2", None),
        ("a<x<b", None),
        ("x=3", None),
    ],
)
def test_an_inequality_of_one_variable_between_numbers_describes_an_interval(inequality, expected):
    found = interval(read(inequality))
    assert (found and found.replace(" ", "")) == (expected and expected.replace(" ", ""))
