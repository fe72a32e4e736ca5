r"""The reward's rule: one closed ``\boxed{}``, and the same answer after normalisation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limr.reward import grade, normalise

ANSWERS = st.text(st.sampled_from("0123456789x+-/^{}() "), min_size=1, max_size=12).filter(
    lambda text: is_balanced(text) and text.strip()
)
PLAIN = st.text(st.characters(exclude_characters="\\"), max_size=20)


def is_balanced(text):
    depth = 0
    for character in text:
        depth += (character == "{") - (character == "}")
        if depth < 0:
            return False
    return depth == 0


@given(PLAIN, ANSWERS, PLAIN)
def test_the_gold_answer_in_one_closed_box_earns_1_whatever_stands_around_it(before, answer, after):
    verdict = grade(f"{before}\\boxed{{{answer}}}{after}", answer)
    assert (verdict.reward, verdict.correct, verdict.formatted, verdict.answer) == (1.0, True, True, answer)


@given(ANSWERS, ANSWERS)
def test_another_answer_in_the_box_earns_minus_a_half(answer, gold):
    verdict = grade(f"\\boxed{{{answer}}}", gold)
    same = answer.replace(" ", "") == gold.replace(" ", "")
    assert verdict.reward == (1.0 if same else -0.5)
    assert verdict.formatted
    assert verdict.correct is same


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ("", "no boxed answer"),
        ("11", "no boxed answer"),
        ("boxed{11}", "no boxed answer"),
        (r"\boxed 11", "no boxed answer"),
        (r"\boxed{11", "the box is not closed"),
        (r"\boxed{\frac{1}{2}", "the box is not closed"),
        (r"\boxed{11} or \boxed{11}", "several boxed answers"),
        (r"\boxed{\boxed{11}}", "several boxed answers"),
    ],
)
def test_malformed_responses_earn_minus_1_with_their_reason(response, reason):
    verdict = grade(response, "11")
    assert (verdict.reward, verdict.correct, verdict.formatted) == (-1.0, False, False)
    assert verdict.reason == reason


def test_a_truncated_response_is_malformed_even_with_the_right_answer():
    assert grade(r"\boxed{11}", "11", truncated=True).reward == -1.0


@given(st.text(st.sampled_from(list("\\boxed{}1 ")), max_size=40), st.text(max_size=5), st.booleans())
def test_any_text_gets_one_of_the_three_rewards_that_its_flags_tell(response, gold, truncated):
    verdict = grade(response, gold, truncated)
    expected = {(True, True): 1.0, (False, True): -0.5, (False, False): -1.0}
    assert verdict.reward == expected[verdict.correct, verdict.formatted]


@given(st.text(st.sampled_from(list(" $.12x")), max_size=12))
def test_normalising_twice_changes_nothing_more(answer):
    assert normalise(normalise(answer)) == normalise(answer)


@pytest.mark.parametrize("answer", ["12", " 1 2 ", "$12$", "12.", "$12.$", "$12$."])
def test_white_space_dollar_signs_and_a_closing_full_stop_do_not_matter(answer):
    assert grade(f"\\boxed{{{answer}}}", "12").correct


def test_a_decimal_point_is_not_dropped():
    assert not grade(r"\boxed{1.2}", "12").correct
