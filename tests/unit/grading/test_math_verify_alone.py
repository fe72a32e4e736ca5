"""Plain Math-Verify, called in this process on harmless expressions."""

import math_verify.parser
import pytest
from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse

from limr.grading.math_verify_alone import compare

OUTSIDE_LATEX = r"\unknown = 3*4 "


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        (r"\frac{\sqrt{3}}{3}", r"\frac{1}{\sqrt3}"),
        ("(1,2]", r"\left(1, 2\right]"),
        ("x=5", "5"),
        (r"\text{Evelyn}", "Evelyn"),
    ],
)
def test_equal_answers_are_accepted(gold, answer):
    assert compare(gold, answer)


@pytest.mark.parametrize(("gold", "answer"), [("11", "12"), ("(1,2]", "(1,2)"), ("", ""), (r"\text{Evelyn}", "Carla")])
def test_other_answers_are_refused(gold, answer):
    assert not compare(gold, answer)


def test_arithmetic_outside_latex_is_not_evaluated_as_code(monkeypatch):
    evaluated = []
    monkeypatch.setattr(math_verify.parser, "parse_expr_cached", lambda text: evaluated.append(text) or 12)
    compare("12", OUTSIDE_LATEX)
    assert evaluated == []
    parse(f"\\boxed{{{OUTSIDE_LATEX}}}", [LatexExtractionConfig(), ExprExtractionConfig()], parsing_timeout=None)
    assert evaluated  # as Math-Verify does by default
