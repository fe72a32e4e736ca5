"""Two answers are compared part by part; a part that a leaf cannot decide stays undecided where it matters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limr.grading.plain import compare_plain
from limr.grading.structure_comparison import compare


def test_an_undecided_part_leaves_the_whole_undecided_only_where_it_matters():
    def leaf(gold: str, answer: str) -> bool | None:
        return None if "?" in gold + answer else gold == answer

    assert compare("(1,?)", "(1,2)", leaf) is None
    assert compare("(1,?)", "(3,2)", leaf) is False
    assert compare("1,?", "2,1", leaf) is None
    assert compare("1,?", "3,2", leaf) is False
    assert compare("1,?", "1,2,3", leaf) is False


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_solutions_does_not_matter_but_the_order_of_a_tuple_does(numbers, random):
    shuffled = random.sample(numbers, len(numbers))
    gold, answer = (",".join(map(str, each)) for each in (numbers, shuffled))
    assert compare(gold, answer, compare_plain) is True
    assert compare(f"({gold})", f"({answer})", compare_plain) is (numbers == shuffled)
    assert compare(gold, f"{answer},0", compare_plain) is False


@pytest.mark.parametrize("gold", ["5", "x^{2}", "1,2", "{}6{}".format("\\{" * 24, "\\}" * 24)])
def test_nested_sets_are_compared_once_a_level(gold):
    compared = []
    answer = "{}7{}".format("\\{" * 24, "\\}" * 24)
    assert not compare(gold, answer, lambda *pair: compared.append(pair))
    assert len(compared) <= 1


def test_a_chain_of_equalities_inside_brackets_is_not_compared():
    """Members would be compared in both orders at each level: about 500 comparisons for this answer."""
    chains = [f"{number}.0" for number in range(32)]
    while len(chains) > 1:
        chains = [f"({one})=({other})" for one, other in zip(chains[::2], chains[1::2], strict=True)]
    compared = []
    assert not compare("x", chains[0], lambda *pair: not compared.append(pair))
    assert compared == []


def test_a_calculation_is_undecided_until_algebra_has_compared_its_members():
    assert compare("11", "3+8=11", compare_plain) is None
    assert compare("11", "3+8=12", compare_plain) is False
    assert compare("11", "3+8=12=11", compare_plain) is False


def test_a_union_may_be_written_with_a_letter_only_between_intervals_and_sets():
    gold = r"(1,2)\cup(3,4)"
    assert compare(gold, "(1,2)U(3,4)", compare_plain) is True
    assert compare(gold, "(3,4)U(1,2)", compare_plain) is True
    assert compare(gold, "(1,2)U(3,5)", compare_plain) is False
    assert not compare(gold, "(1,2)U", compare_plain)
    assert not compare(gold, "U(1,2)U(3,4)", compare_plain)
    assert not compare(r"(a)\cup(b)", "(a)U(b)", compare_plain)
