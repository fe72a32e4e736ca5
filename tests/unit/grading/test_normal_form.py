"""Different notations of one answer have one normal form, and any text has a normal form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limr.grading.normal_form import normal_form

PIECES = [
    *("\\frac", "\\sqrt", "\\text{", "\\mathbf{", "\\left(", "\\right)", "\\pi", "\\cdot", "\\{", "\\}", "\\,", "\\!"),
    *(
        "\\begin{pmatrix}",
        "\\end{pmatrix}",
        "\\\\",
        "&",
        "\\phantom",
        "\\circ",
        "\\%",
        "\\$",
        "\\boxed{",
        "\\text",
        "\\",
    ),
    *("{", "}", "(", ")", "[", "]", "^", "_", "-", "+", "=", "<", ",", ";", ":", ".", " ", "$", "/", "!", "|", "*"),
    *(
        "0",
        "1",
        "12",
        "345",
        "x",
        "ab",
        "cm",
        "and",
        "the",
        "Saturday",
        "sin",
        "p.m.",
        "½",
        "π",
        "√2",
        "\uff12",
        "\u0664",
        "\u2460",
    ),
]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (r"\dfrac 3 8", r"\frac{3}{8}"),
        (r"\frac 1{72}", r"\frac{1}{72}"),
        (r"\frac\pi4", r"\frac{\pi}{4}"),
        (r"\frac{\sqrt3}2", r"\frac{\sqrt{3}}{2}"),
        (r"x^\frac12y", r"x^{\frac{1}{2}}y"),
        ("x^-10", "x^{-10}"),
        ("2^(1/2)+(3)", "2^{1/2}+(3)"),
        (r"\sqrt(3+(1))x", r"\sqrt{3+(1)}x"),
        (r"\sqrt[3] 2", r"\sqrt[3]{2}"),
        ("sqrt(3)", r"\sqrt{3}"),
        ("x**2", "x^{2}"),
        ("**5**", "5"),
        (r"\pi r", r"\pi r"),
        (r"\\frac{1}{2}", r"\frac{1}{2}"),
        (r"\boxed{5}", "5"),
        (r"\mathbf{2340}", "2340"),
        (r"\text{13}", "13"),
        (r"\left( 1,\tfrac12 \right]", r"(1,\frac{1}{2}]"),
        (r"\begin{bmatrix}1&\phantom -2\\3&4\end{bmatrix}", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}"),
        (r"\left[\begin{array}{cc}1&2\end{array}\right]", r"\begin{pmatrix}1&2\end{pmatrix}"),
        (r"8\!:\!34 \text{ p.m.}", r"8:34\text{pm}"),
        (r"\text{ 100 sq. ft.}", r"100\text{sq ft}"),
        (r"5\text{ m/s}", r"5\text{m/s}"),
        (r"\textbf{(C)}", "(C)"),
        (r"\text{A, D, F}", "A,D,F"),
        (r"2, 3, \text{ and } 4", "2,3,4"),
        ("1 1/2", "1 1/2"),
        ("1 512", "1512"),
        (r"111, \! 111, \! 111", "111111111"),
        ("70,110", "70,110"),
        ("70, 110", "70;110"),
        (r"\text{ 70 and 110}", "70;110"),
        (r"\{ \}", r"\emptyset"),
        ("}}{{", "}}"),
    ],
)
def test_a_notation_has_its_normal_form(text, form):
    assert normal_form(text) == form


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join) | st.text(max_size=40))
def test_any_text_has_a_normal_form_without_superfluous_white_space(text):
    form = normal_form(text)
    assert form == form.strip()
    assert "  " not in form
    assert normal_form(f" {text}\n") == form


@pytest.mark.parametrize("digits", ["7", "12,34", "x+1", r"\frac{1}{2}", r"(1,\infty)", "AB=12"])
def test_delimiters_and_styles_around_an_answer_do_not_matter(digits):
    for wrapped in (f"${digits}$", rf"\({digits}\)", rf"\[ {digits} \]", f"{digits}.", rf"\displaystyle {digits}"):
        assert normal_form(wrapped) == normal_form(digits)


@pytest.mark.parametrize("piece", PIECES)
def test_long_repetitions_neither_recurse_nor_raise(piece):
    normal_form(piece * 1000)
