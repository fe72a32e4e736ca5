"""The miniature's problems have true steps and right answers; its corpus has no held-out prompts.

These tests do not use the generator's own arithmetic. They parse solutions step by step, and a small calculator
(``plain_solver``) solves every prompt again from its text.
"""

import random
from collections import Counter
from dataclasses import replace
from itertools import islice
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_solver import is_solved_by, last_value_of_true_steps
from refusals import refused

from limr.training.miniature.corpus import PRACTICE_PROMPT, CorpusMix, corpus, solve
from limr.training.miniature.problems import LEVELS, SUBJECTS, draw, practice, stream
from limr.training.miniature.tokenizer import BOX, GUIDE
from limr.training.miniature.wording import ordinary_wording, other_wording

EXAMPLES = st.tuples(st.sampled_from(sorted(SUBJECTS)), st.sampled_from(LEVELS), st.integers(0, 10**6))


@given(EXAMPLES)
def test_the_steps_of_every_worked_solution_are_true_and_end_with_the_answer(example):
    subject, level, seed = example
    problem = draw(subject, level, random.Random(seed))
    assert str(last_value_of_true_steps(problem.solution)) == problem.answer
    assert (problem.subject, problem.level) == (subject, level)


@given(EXAMPLES)
def test_every_answer_solves_the_problem_of_its_prompt(example):
    subject, level, seed = example
    problem = draw(subject, level, random.Random(seed))
    assert is_solved_by(problem.prompt, int(problem.answer)), problem


@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 4))
def test_a_practice_page_has_only_true_chains(seed, chains, steps):
    pages = practice(random.Random(seed), chains, steps).split(",")
    assert len(pages) == chains
    for page in pages:
        last_value_of_true_steps(page)
        assert page.count("->") == steps


@given(EXAMPLES)
def test_every_step_of_a_common_mistake_is_true_and_its_answer_does_not_solve_the_problem(example):
    subject, level, seed = example
    problem = draw(subject, level, random.Random(seed))
    if problem.mistake:
        answer, solution = problem.mistake
        assert str(last_value_of_true_steps(solution)) == answer
        assert not is_solved_by(problem.prompt, int(answer)), problem


def test_each_subject_but_one_has_a_common_mistake_at_some_level_and_no_level_1_has():
    rng = random.Random(0)
    kinds = {(subject, level): draw(subject, level, rng).mistake for subject in SUBJECTS for level in LEVELS}
    assert {subject for (subject, _), mistake in kinds.items() if mistake} == set(SUBJECTS) - {"Prealgebra"}
    assert not any(mistake for (_, level), mistake in kinds.items() if level == 1)


MIX = CorpusMix(practice=0.2, guided=0.3, worked=0.25, boxed=0.4, wrong=0.15, mistakes=[0.0] * 5)


@pytest.fixture(scope="module")
def examples():
    return list(islice(corpus(7, MIX, set()), 12_000))


def assert_share(found, total, share, slack=0.0):
    """``found`` of ``total`` is within four standard deviations of ``share``."""
    assert abs(found / total - share) < 4 * sqrt(share * (1 - share) / total) + slack


def final_answer(response):
    return response.split(" ")[-1].removeprefix(BOX).removesuffix("}")


def test_the_corpus_has_the_shares_of_its_mix(examples):
    kinds = Counter(
        "practice" if prompt == PRACTICE_PROMPT else "guided" if prompt.startswith(GUIDE) else "plain"
        for prompt, _ in examples
    )
    assert_share(kinds["practice"], len(examples), MIX.practice)
    assert_share(kinds["guided"], len(examples), MIX.guided)
    solved = [(prompt, response) for prompt, response in examples if prompt != PRACTICE_PROMPT]
    plain = [response for prompt, response in solved if not prompt.startswith(GUIDE)]
    assert_share(sum("->" in response for response in plain), len(plain), MIX.worked)
    assert_share(sum(BOX in response for _, response in solved), len(solved), MIX.boxed)
    wrong = sum(
        not is_solved_by(prompt.removeprefix(GUIDE), int(final_answer(response))) for prompt, response in solved
    )
    # a wrong answer is never below 0: subtracting from an answer of 0 leaves 0, the right answer
    assert_share(wrong, len(solved), MIX.wrong, slack=0.01)


def test_the_corpus_makes_the_common_mistake_in_the_share_of_each_level():
    mix = replace(MIX, wrong=0.0, mistakes=[0.0, 0.2, 0.5, 0.7, 0.9])
    rng = random.Random(0)
    for level, share in list(zip(LEVELS, mix.mistakes, strict=True))[1:]:
        problems = [draw("Algebra", level, rng) for _ in range(1_500)]
        answers = [final_answer(solve(problem, 0.5, mix, rng)) for problem in problems]
        mistaken = [answer != problem.answer for problem, answer in zip(problems, answers, strict=True)]
        assert_share(sum(mistaken), len(problems), share)
        shown = {problem.mistake[0] for problem in problems if problem.mistake}
        assert {answer for answer, wrong in zip(answers, mistaken, strict=True) if wrong} <= shown


def test_guided_problems_always_show_their_steps(examples):
    guided = [response for prompt, response in examples if prompt.startswith(GUIDE)]
    assert guided
    assert all("->" in response for response in guided)


def test_the_corpus_has_no_held_out_prompt_guided_or_not():
    rng = random.Random(0)
    everything = {draw(subject, 1, rng).prompt for subject in SUBJECTS for _ in range(400)}
    held_out = set(sorted(everything)[::2])
    seen = {prompt.removeprefix(GUIDE) for prompt, _ in islice(corpus(1, MIX, held_out), 8_000)}
    assert not seen & held_out
    assert seen & everything  # it does yield other prompts of the same kind


def test_the_corpus_has_a_share_of_other_wordings_and_no_held_out_problem_in_either_wording():
    rng = random.Random(0)
    drawn = {(subject, draw(subject, 1, rng).prompt) for subject in SUBJECTS for _ in range(400)}
    ordinary = {prompt for _, prompt in drawn}
    half = sorted(drawn)[::2]
    held_out = {prompt for _, prompt in half[::2]} | {other_wording(*problem) for problem in half[1::2]}
    avoided = {ordinary_wording(prompt) for prompt in held_out}
    assert len(avoided) == len(held_out) == len({prompt for _, prompt in half})
    examples = list(islice(corpus(1, replace(MIX, reworded=0.3), held_out), 12_000))
    prompts = [prompt.removeprefix(GUIDE) for prompt, _ in examples if prompt != PRACTICE_PROMPT]
    in_other_words = [prompt for prompt in prompts if ordinary_wording(prompt) != prompt]
    assert_share(len(in_other_words), len(prompts), 0.3)
    assert not {ordinary_wording(prompt) for prompt in prompts} & avoided
    assert {ordinary_wording(prompt) for prompt in in_other_words} & ordinary, "others of the same kind are read"


def test_a_stream_avoids_taken_prompts_and_ends_when_none_is_left():
    rng, taken, count = random.Random(0), set(), 0
    with refused(what="no new problems of levels [1]"):
        for problem in stream(rng, [1], taken):
            assert problem.prompt not in taken
            taken.add(problem.prompt)
            count += 1
    assert count == len(taken) > 500


def test_the_corpus_is_the_same_for_the_same_seed():
    first, again, other = (list(islice(corpus(seed, MIX, set()), 50)) for seed in (1, 1, 2))
    assert first == again != other
