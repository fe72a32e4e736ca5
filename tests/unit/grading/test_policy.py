"""The grader decides every example of docs/grading.md as documented."""

import re

import pytest
from places import ROOT

from limr.grading import equal

PAGE = ROOT / "docs" / "grading.md"
EXAMPLES = re.findall(r"^- `(.+)` ([=≠]) `(.+)`$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(("gold", "sign", "answer"), EXAMPLES)
def test_the_grader_decides_the_example_as_documented(gold, sign, answer):
    assert equal(gold, answer).equal == (sign == "=")


def test_the_page_has_examples_of_both_kinds():
    signs = [sign for _, sign, _ in EXAMPLES]
    assert signs.count("=") > 50
    assert signs.count("≠") > 30
