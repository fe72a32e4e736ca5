"""The manipulated pool: its shares, and what a share leaves as it was."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused

from limr.training.miniature import pool
from limr.training.miniature.pool import BEYOND, EASY, KINDS, break_golds, draw_pool
from limr.training.miniature.problems import draw

shares = st.one_of(st.none(), st.sampled_from([0.0, 0.1, 0.25, 0.5]))
seeds = st.integers(0, 1000)
NUMBER = 60


def drawn(beyond=None, easy=None, seed=0, avoid=(), number=NUMBER):
    taken, problems = set(avoid), []
    for problem in draw_pool(number, beyond, easy, seed, taken):
        taken.add(problem.prompt)
        problems.append(problem)
    return problems


def of_kinds(problems, kinds):
    return [problem for problem in problems if (problem.subject, problem.level) in kinds]


def test_no_kind_is_both_beyond_and_easy_and_some_are_neither():
    assert not BEYOND & EASY
    assert set(KINDS) > BEYOND | EASY


@given(shares, shares, seeds)
def test_a_pool_has_the_shares_that_are_asked_for_and_no_prompt_twice(beyond, easy, seed):
    problems = drawn(beyond, easy, seed)
    assert len({problem.prompt for problem in problems}) == len(problems) == NUMBER
    for share, kinds in ((beyond, BEYOND), (easy, EASY)):
        if share is not None:
            assert len(of_kinds(problems, kinds)) == round(share * NUMBER)


@given(seeds)
def test_another_share_draws_more_of_the_same_problems(seed):
    few, many = drawn(beyond=0.1, seed=seed), drawn(beyond=0.5, seed=seed)
    fewer, more = of_kinds(few, BEYOND), of_kinds(many, BEYOND)
    assert more[: len(fewer)] == fewer
    rest = set(KINDS) - BEYOND
    others, less = of_kinds(few, rest), of_kinds(many, rest)
    others, less = (
        [problem for problem in problems if problem not in of_kinds(problems, BEYOND)] for problems in (few, many)
    )
    assert others[: len(less)] == less


@given(seeds)
def test_no_prompt_to_avoid_is_drawn(seed):
    avoid = {problem.prompt for problem in drawn(0.2, 0.3, seed)}
    assert not avoid & {problem.prompt for problem in drawn(0.2, 0.3, seed, avoid)}


def test_a_pool_of_two_halves_has_the_number_that_is_asked_for():
    assert len(drawn(0.5, 0.5, number=3)) == 3, "both halves of 3 round up to 2"


def test_more_easy_problems_than_exist_are_refused(monkeypatch):
    monkeypatch.setattr(pool, "EASY", frozenset({("Geometry", 1)}))
    with refused(what="no new problems of the kinds Geometry 1 are left", advice="fewer problems"):
        drawn(easy=0.5, number=1000)


@given(st.sampled_from([0.0, 0.1, 0.22, 0.5, 1.0]), seeds)
def test_broken_golds_are_wrong_numbers_that_no_problem_has(share, seed):
    problems = drawn(seed=seed)
    broken, right_answers = break_golds(problems, share, seed)
    assert len(right_answers) == round(share * NUMBER)
    for before, after in zip(problems, broken, strict=True):
        if before.prompt in right_answers:
            assert right_answers[before.prompt] == before.answer
            assert len(after.answer) == 8 > len(before.answer)
        else:
            assert after == before
    golds = [problem.answer for problem in broken if problem.prompt in right_answers]
    assert len(set(golds)) == len(golds), "no wrong number can be learned for many prompts"


@given(seeds)
def test_a_larger_share_breaks_the_same_golds_and_further_ones(seed):
    problems = drawn(seed=seed)
    few, many = (break_golds(problems, share, seed)[0] for share in (0.1, 0.5))
    for before, one, other in zip(problems, few, many, strict=True):
        assert one in (before, other)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind[0]} {kind[1]}")
def test_no_right_answer_is_as_long_as_a_broken_one(kind):
    rng = Random(0)
    assert max(len(draw(*kind, rng).answer) for _ in range(200)) <= 6
