"""The guard refuses expensive and strange answers, and passes ordinary ones."""

import pytest

from limr.grading.guard import refusal
from limr.grading.normal_form import normal_form


@pytest.mark.parametrize(
    "answer",
    [
        "9^{9^{9}}",
        "2^{99999}",
        "x^{(1+1)^{9}}",
        "e^{e^{e^{2}}}",
        "(5!)!",
        "5!!",
        "99999!",
        r"\binom{10^9}{10^8}",
        r"\binom{99999}{5}",
        r"\sum_{i=1}^{9} i",
        r"\int_0^1 x dx",
        r"\lim_{x\to0} x",
        r"\input{/etc/passwd}",
        r"\operatorname{eye}(99999) \unknown",
        "__import__('os').system(\"true\") ; `id`",
        "1" * 61,
        "(" * 26 + "1" + ")" * 26,
        "1+" * 300 + "1",
        "\x00",
        "\ud800",
        "①",
        "四十二",
    ],
)
def test_expensive_and_strange_answers_are_refused(answer):
    assert refusal(normal_form(answer))


@pytest.mark.parametrize(
    "answer", [r"\frac{1}{2004!}", "2^{4950}", "e^{x^2}", r"\binom{5}{2}", r"\sqrt[4]{8}", "x_{1}"]
)
def test_ordinary_answers_pass(answer):
    assert refusal(normal_form(answer)) is None
