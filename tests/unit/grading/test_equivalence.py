"""Each pair is decided by the cheapest stage that can, and no text raises or takes long."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused

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
        "print({workers._server for workers in _workers.values()},"
        " [m for m in sys.modules if m.startswith(('sympy', 'math_verify', 'antlr'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{None} []"


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


@pytest.mark.parametrize(
    ("gold", "answer", "ours", "plain"),
    [
        (r"\frac{1}{2}", "0.5", True, True),
        ("11", "12", False, False),
        ("4343_6", "4343_7", False, True),
        (r"\frac{1}{3}", "0.3333333", False, True),
        ("12", r"24\div2", False, True),
        ("70,110", "110, 70", True, False),
        ("10\\text{ cm}", "10\\text{ kg}", False, True),
        ("", "", False, False),
    ],
)
def test_plain_math_verify_gives_its_own_verdicts_and_the_cache_keeps_them_apart(gold, answer, ours, plain):
    for _ in range(2):  # the second time from the cache
        assert equal(gold, answer).equal == ours
        assert equal(gold, answer, "math_verify").equal == plain
        assert equal(gold, answer, "math_verify").stage == "math_verify"


def test_the_cache_keeps_the_verdicts_of_two_graders_on_one_pair_apart():
    """Computer algebra decides both verdicts on this pair, and they differ."""
    pair = (r"10^{-30}\pi", r"2\cdot10^{-30}\pi")
    for graders in (("limr", "math_verify"), ("math_verify", "limr")):
        assert [equal(*pair, grader).stage for grader in graders] == [
            {"limr": "symbolic", "math_verify": "math_verify"}[grader] for grader in graders
        ]


def test_a_text_too_long_for_either_grader_is_refused_by_its_length():
    assert equal("5", "1+" * 5000 + "1", "math_verify").stage == "guard"


def test_a_grader_that_does_not_exist_is_refused():
    with refused(where="grader", found="'other'", expected="math_verify"):
        equal("1", "1", "other")


def test_math_verify_compares_in_threads_and_stops_at_its_limit_of_cpu_time():
    """Its own time limits use signals, which only a main thread can set; they are off."""
    with ThreadPoolExecutor(1) as thread:
        stuck = thread.submit(equal, "5", "7^{9999999}", "math_verify").result()
        after = thread.submit(equal, "5", "5.0", "math_verify").result()
    assert (stuck.equal, stuck.stage) == (False, "limit")
    assert after.equal
