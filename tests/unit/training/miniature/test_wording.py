"""The other wording asks the same question, and can be turned back; level 6 is one step longer."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_solver import is_solved_by, last_value_of_true_steps
from refusals import refused

from limr.training.miniature.one_step_longer import LEVEL, LONGER, draw_longer
from limr.training.miniature.problems import LEVELS, SUBJECTS, Problem, draw
from limr.training.miniature.wording import TEMPLATES, ordinary_wording, other_wording


@st.composite
def problems(draw_from) -> Problem:
    """Any problem, of level 6 too."""
    subject, rng = draw_from(st.sampled_from(sorted(SUBJECTS))), random.Random(draw_from(st.integers(0, 10**6)))
    levels = [*LEVELS, LEVEL] if subject in LONGER else LEVELS
    level = draw_from(st.sampled_from(levels))
    return draw_longer(subject, rng) if level == LEVEL else draw(subject, level, rng)


@given(problems())
def test_every_problem_has_another_wording_that_turns_back_into_the_ordinary_one(problem):
    other = other_wording(problem.subject, problem.prompt)
    assert other != problem.prompt
    assert ordinary_wording(other) == problem.prompt
    assert ordinary_wording(problem.prompt) == problem.prompt
    assert is_solved_by(ordinary_wording(other), int(problem.answer))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_template_of_a_subject_is_used(subject):
    """A template that no problem follows is out of date."""
    rng = random.Random(0)
    texts = {other_wording(subject, draw(subject, level, rng).prompt) for level in LEVELS for _ in range(50)}
    for ordinary, other in TEMPLATES[subject]:
        shape = re.sub(r"\\\{\w+\\\}", "[^ ,]+", re.escape(other))
        assert any(re.fullmatch(shape, text) for text in texts), ordinary


def test_a_prompt_without_a_template_is_refused_with_the_file_to_change():
    with refused(what="no template of Algebra", found="Integrate x", advice="wording.py"):
        other_wording("Algebra", "Integrate x.")


@given(st.sampled_from(sorted(LONGER)), st.integers(0, 10**6))
def test_a_problem_of_level_6_is_right_and_has_more_steps_than_any_of_the_training_levels(subject, seed):
    rng = random.Random(seed)
    problem = draw_longer(subject, rng)
    assert (problem.subject, problem.level) == (subject, 6)
    assert str(last_value_of_true_steps(problem.solution)) == problem.answer
    assert is_solved_by(problem.prompt, int(problem.answer))
    longest = max(draw(subject, level, rng).solution.count("->") for level in LEVELS for _ in range(3))
    assert problem.solution.count("->") > longest
