"""Each pair is decided by the cheapest stage that can, and no text raises or takes long."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limr.grading import Equality, equal

CHEAP = ("text", "number", "guard")


@pytest.mark.parametrize(
    ("gold", "answer", "stage"),
    [
        ("11", "11", "text"),
        (r"\dfrac12", r"\frac{1}{2}", "text"),
        ("11", "12", "number"),
        ("11", "3+8", "number"),
        ("11", "12->9", "number"),
        ("(1,2)", "(1,3)", "number"),
        (r"\text{Saturday}", "Sunday", "number"),
        ("11", r"\sum_{i=1}^{9}i", "guard"),
        ("x", "9" * 5000, "guard"),
        (r"2\sqrt3", r"\sqrt{12}", "symbolic"),
    ],
)
def test_each_pair_is_decided_by_the_cheapest_stage_that_can(gold, answer, stage):
    assert equal(gold, answer).stage == stage


@pytest.mark.parametrize("gold", ["", "  "])
def test_no_answer_equals_an_empty_gold(gold):
    for answer in (gold, "none", "5", ""):
        assert not equal(gold, answer).equal


@given(st.text(max_size=60))
def test_a_gold_that_is_a_number_never_needs_computer_algebra(answer):
    assert equal("11", answer).stage in CHEAP


@given(st.text(st.characters(codec=None), max_size=30), st.text(st.characters(codec=None), max_size=5))
def test_no_two_texts_raise(gold, answer):
    assert isinstance(equal(gold, f"{gold}\ud800{answer}"), Equality)


@pytest.mark.parametrize("character", ["9", "{", "}", "(", "\\frac", "\\text{", "^", ",", " ", "\x00", "x", "\\boxed{"])
def test_megabytes_are_refused_without_being_read(character):
    text = character * (2_000_000 // len(character))
    assert not equal("5", text).equal
    assert not equal(text, "5").equal


def test_white_space_does_not_make_an_answer_too_long():
    assert equal("5", " " * 1_000_000 + "5").equal


def test_importing_the_grader_imports_no_computer_algebra_and_starts_no_process():
    program = (
        "import sys, limr.grading as g; g.equal('11', '3+8'); g.equal('(1,2)', '[1,2)'); "
        "from limr.grading.equivalence import _workers; "
        "print(_workers._server, [m for m in sys.modules if m.startswith(('sympy', 'math_verify', 'antlr'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None []"


@pytest.mark.parametrize(("opening", "closing"), ["()", ("\\{", "\\}"), "[]"])
def test_a_gold_with_deeply_nested_brackets_does_not_raise(opening, closing):
    assert equal(f"{opening * 390}1,2{closing * 390}", "3").reason == "the gold has brackets nested more than 25 deep"


@pytest.mark.parametrize(
    ("gold", "answer", "same"),
    [
        ("ab-cd", "abcd", False),
        ("LQSX", "-LQSX", False),
        ("abc-d", r"\text{abcd}", False),
        (r"\text{non-zero}", "nonzero", True),
        (r"\text{well-known}", r"\text{well known}", True),
        (r"\text{x-axis}", r"\text{the } x\text{-axis}", True),
    ],
)
def test_a_hyphen_is_ignored_and_a_minus_sign_is_not(gold, answer, same):
    assert equal(gold, answer).equal is same
