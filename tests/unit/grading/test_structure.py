"""An answer is split into parts, level by level."""

import pytest

from limr.grading.structure import is_thousands, read


@pytest.mark.parametrize(
    ("text", "kind", "parts"),
    [
        ("1,2", "list", ("1", "2")),
        ("(1,2),(3,4)", "list", ("(1,2)", "(3,4)")),
        (r"\{1,2\}", "set", ("1", "2")),
        ("(1,2]", "tuple", ("1", "2")),
        ("((5))", "leaf", ("5",)),
        ("(x+1)(x+2)", "leaf", ("(x+1)(x+2)",)),
        (r"[0,1)\cup(2,3)", "union", ("[0,1)", "(2,3)")),
        (r"1\pm2", "list", ("1+2", "1-2")),
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", "matrix", ("1", "2", "3", "4")),
        ("x>1", "relation", ("1", "x")),
        (r"f(1)\ge f(2)", "relation", ("f(2)", "f(1)")),
        ("4:30", "ratio", ("4", "30")),
        (r"\frac{1,000}{3}", "leaf", (r"\frac{1,000}{3}",)),
        ("15,600", "leaf", ("15,600",)),
        ("70,110", "list", ("70", "110")),
    ],
)
def test_one_level_is_split_into_its_parts(text, kind, parts):
    node = read(text)
    assert (node.kind, node.parts) == (kind, parts)


@pytest.mark.parametrize("number", ["22,500", "30,951", "31,250", "98,634", "61,328", "58,500", "15,600", r"\$115,000"])
def test_golds_with_a_thousands_separator_are_one_number(number):
    assert is_thousands(number)


def test_a_gold_of_two_solutions_is_not_one_number():
    assert not is_thousands("70,110")
