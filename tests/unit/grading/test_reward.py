r"""The reward: each rule defines malformed responses; for the others, the content of the last box decides."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused

from limr.grading import equivalence
from limr.grading.reward import RULES, grade

REWARDS = {(True, True): 1.0, (False, True): -0.5, (False, False): -1.0}
NUMBERS = st.integers(-999, 999).map(str)
ANSWERS = NUMBERS | st.builds("\\frac{{{}}}{{{}}}".format, st.integers(1, 99), st.integers(2, 99))
PLAIN = st.text(st.characters(exclude_characters="\\"), max_size=20)
RULE = st.sampled_from(list(RULES))
MINIATURE = st.text(st.sampled_from("0123456789+-*/%>=. abcdrows"), max_size=12)


@given(PLAIN, ANSWERS, st.text(st.sampled_from("abc .1{}"), max_size=20))
def test_the_gold_answer_in_one_closed_box_earns_1_with_any_text_around_it(before, answer, after):
    verdict = grade(f"{before}\\boxed{{{answer}}}{after}", answer)
    assert (verdict.reward, verdict.correct, verdict.formatted, verdict.answer) == (1.0, True, True, answer)


@given(NUMBERS, NUMBERS, RULE)
def test_another_number_in_the_box_earns_minus_a_half(answer, gold, rule):
    verdict = grade(f"\\boxed{{{answer}}}", gold, rule=rule)
    assert verdict.reward == (1.0 if answer == gold else -0.5)
    assert verdict.formatted
    assert verdict.correct is (answer == gold)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ("", "no boxed answer"),
        ("11", "no boxed answer"),
        ("boxed{11}", "no boxed answer"),
        (r"\boxed 11", "no boxed answer"),
        (r"\boxed{11", "the box is not closed"),
        (r"\boxed{\frac{1}{2}", "the box is not closed"),
        (r"\boxed{11}" * 5, "more than 4 boxed answers"),
        ("and so on, " * 100 + r"\boxed{11}", "degenerate repetition"),
        (r"\boxed{11}" + "0" * 300, "degenerate repetition"),
    ],
)
def test_malformed_responses_earn_minus_1_with_their_reason(response, reason, rule):
    verdict = grade(response, "11", rule=rule)
    assert (verdict.reward, verdict.answer, verdict.correct, verdict.formatted) == (-1.0, None, False, False)
    assert verdict.reason == reason


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (r"\boxed{11} \boxed is the word, \boxed, \boxed, \boxed", "more than 4 boxed answers"),
        (r"|-----|-----|-----|-----|-----| \boxed{11}", "degenerate repetition"),
        ("一共有十一个苹果在篮子里 \\boxed{11}", "unusual characters"),
    ],
)
def test_the_rule_of_the_released_code_is_stricter_than_ours(response, reason):
    assert grade(response, "11", rule="paper").reward == 1.0
    assert grade(response, "11", rule="released_code").reason == reason


@pytest.mark.parametrize(
    "response",
    [
        "x = 1\n" * 4 + r"\boxed{11}",  # four times
        "so x=1.\n" * 6 + r"\boxed{11}",  # not on one line
        "一共有十一个苹果 that is eleven apples \\boxed{11}",  # 8 characters of 44
        r"\boxed{1}\boxed{2}\boxed{3}\boxed{11}",  # 4 boxes: the last counts
        r"\boxed{2 \boxed{11}",
    ],
)
def test_both_rules_accept_what_is_just_within_their_limits(response):
    assert [grade(response, "11", rule=rule).reward for rule in RULES] == [1.0, 1.0]


@pytest.mark.parametrize("rule", RULES)
def test_a_truncated_response_is_malformed_even_with_the_right_answer(rule):
    verdict = grade(r"\boxed{11}", "11", truncated=True, rule=rule)
    assert (verdict.reward, verdict.reason) == (-1.0, "truncated")


@given(st.text(st.sampled_from(list("\\boxed{}1 ")), max_size=40), st.text(max_size=5), st.booleans(), RULE)
def test_any_text_gets_one_of_the_three_rewards_and_the_flags_that_go_with_it(response, gold, truncated, rule):
    verdict = grade(response, gold, truncated, rule)
    assert verdict.reward == REWARDS[verdict.correct, verdict.formatted]
    assert (verdict.answer is None) == (not verdict.formatted)


def test_answers_are_compared_by_meaning():
    assert grade(r"\boxed{\frac{1}{\sqrt3}}", r"\frac{\sqrt{3}}{3}").correct
    assert not grade(r"\boxed{\frac{1}{\sqrt2}}", r"\frac{\sqrt{3}}{3}").correct


def test_the_reason_explains_why_a_wrong_answer_was_not_compared():
    verdict = grade(rf"\boxed{{{'9^' * 50}9}}", "11")
    assert (verdict.reward, verdict.formatted) == (-0.5, True)
    assert verdict.reason.startswith("wrong answer: ")


def test_an_unknown_rule_is_an_error_that_lists_the_rules():
    with refused(where="reward rule", found="'papers'", expected="paper, released_code"):
        grade("", "11", rule="papers")


@pytest.mark.parametrize(
    ("response", "gold", "reward"),
    [
        ("69/3->23 \\boxed{23}", "23", 1.0),
        ("\\boxed{12->9}", "9", -0.5),
        ("\\boxed{3+8}", "11", -0.5),
        ("5*7->35 35", "35", -1.0),
        ("15*2->30+8->38 \\boxed{38", "38", -1.0),
    ],
)
def test_responses_of_the_miniature_get_the_expected_reward(response, gold, reward):
    assert grade(response, gold).reward == reward


@given(MINIATURE, st.integers(0, 99999).map(str))
def test_answers_of_the_miniature_start_no_process(answer, gold):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(equivalence._workers["limr"], "compare", None)  # a call would raise
        grade(f"\\boxed{{{answer}}}", gold)


def test_grading_from_asyncio_gives_the_same_verdicts():
    rows = [(f"\\boxed{{{answer}}}", gold) for answer in ("11", "x", r"\sqrt{4}") for gold in ("11", "2", "x")]

    async def grade_all():
        return await asyncio.gather(*(asyncio.to_thread(grade, *row) for row in rows))

    assert asyncio.run(grade_all()) == [grade(*row) for row in rows]
