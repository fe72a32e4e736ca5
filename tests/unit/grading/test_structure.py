import pytest
from hypothesis import given
from hypothesis import strategies as st

from limr.grading.plain import compare_plain
from limr.grading.structure import compare, is_thousands, read


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
def test_one_level_is_taken_apart(text, kind, parts):
    node = read(text)
    assert (node.kind, node.parts) == (kind, parts)


@pytest.mark.parametrize("number", ["22,500", "30,951", "31,250", "98,634", "61,328", "58,500", "15,600", r"\$115,000"])
def test_the_golds_that_are_thousands_are_read_so(number):
    assert is_thousands(number)


def test_the_gold_that_is_two_solutions_is_read_so():
    assert not is_thousands("70,110")


def test_what_the_leaf_cannot_tell_is_unknown_only_where_it_matters():
    def leaf(gold: str, answer: str) -> bool | None:
        return None if "?" in gold + answer else gold == answer

    assert compare("(1,?)", "(1,2)", leaf) is None
    assert compare("(1,?)", "(3,2)", leaf) is False
    assert compare("1,?", "2,1", leaf) is None
    assert compare("1,?", "3,2", leaf) is False
    assert compare("1,?", "1,2,3", leaf) is False


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_solutions_stand_in_any_order_and_tuples_in_theirs(numbers, random):
    shuffled = random.sample(numbers, len(numbers))
    gold, answer = (",".join(map(str, each)) for each in (numbers, shuffled))
    assert compare(gold, answer, compare_plain) is True
    assert compare(f"({gold})", f"({answer})", compare_plain) is (numbers == shuffled)
    assert compare(gold, f"{answer},0", compare_plain) is False


@pytest.mark.parametrize("gold", ["5", "x^{2}", "1,2", "{}6{}".format("\\{" * 24, "\\}" * 24)])
def test_sets_in_sets_are_compared_once_a_level(gold):
    asked = []
    answer = "{}7{}".format("\\{" * 24, "\\}" * 24)
    assert not compare(gold, answer, lambda *pair: asked.append(pair))
    assert len(asked) <= 1
