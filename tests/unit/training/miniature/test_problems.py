"""The miniature's problems have true steps, right answers and no overlap; its corpus has no held-out prompts.

These tests do not use the generator's own arithmetic. They parse solutions step by step, and a small calculator solves
every prompt again from its text.
"""

import random
import re
from collections import Counter
from itertools import islice
from math import sqrt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused

from limr.files.contracts import read_parquet
from limr.training.miniature.corpus import PRACTICE_PROMPT, CorpusMix, corpus
from limr.training.miniature.problems import LEVELS, SUBJECTS, draw, practice, prepare, stream
from limr.training.miniature.tokenizer import BOX, GUIDE

EXAMPLES = st.tuples(st.sampled_from(sorted(SUBJECTS)), st.sampled_from(LEVELS), st.integers(0, 10**6))
BENCHMARKS = {"all": {"problems": 40, "levels": [1, 2, 3, 4, 5]}, "hard": {"problems": 15, "levels": [5]}}
DATA = {"seed": 3, "train": 150, "development": 30}


def calculate(text, names):
    """Value of an expression with + - *, parentheses, juxtaposition (``3(x+2)``) and variables ``names``."""
    tokens = re.findall(r"\d+|[a-z]|[-+*()]", text)
    assert "".join(tokens) == text, text

    def total():
        value = product()
        while tokens and tokens[0] in "+-":
            value = value + product() if tokens.pop(0) == "+" else value - product()
        return value

    def product():
        value = factor()
        while tokens and (tokens[0] == "*" or tokens[0] == "(" or tokens[0].isalnum()):
            if tokens[0] == "*":
                tokens.pop(0)
            value *= factor()
        return value

    def factor():
        token = tokens.pop(0)
        if token == "(":
            value = total()
            assert tokens.pop(0) == ")"
            return value
        return int(token) if token.isdigit() else names[token]

    result = total()
    assert not tokens, text
    return result


def is_solved_by(prompt, answer):
    """Whether ``answer`` answers ``prompt``, from the prompt's text alone."""
    for pattern, check in CHECKS:
        if match := re.fullmatch(pattern, prompt):
            return check(answer, *match.groups())
    raise AssertionError(f"no check matches the prompt {prompt!r}")


def sequence(answer, first, rule, term):
    value = int(first)
    for _ in range(int(term) - 1):
        value = calculate(rule, {"a": value})
    return value == answer


def functions(answer, f, g, call):
    rules = {"f": f, "g": g}
    names, argument = re.fullmatch(r"([fg(]+)(\d+)\)+", call).groups()
    value = int(argument)
    for name in reversed(names.replace("(", "")):
        value = calculate(rules[name], {"x": value})
    return value == answer


def numbers(answer, expected):
    return answer == expected


CHECKS = [
    (r"Compute (.*)\.", lambda answer, text: numbers(answer, calculate(text, {}))),
    (r"Solve (.*)=(\d+)\.", lambda answer, left, right: calculate(left, {"x": answer}) == int(right)),
    (r"Find (.*) mod (\d+)\.", lambda answer, text, modulus: numbers(answer, calculate(text, {}) % int(modulus))),
    (
        r"Seats in (\d+) rows of (\d+)(?: and (\d+) more)?(?:, (\d+) taken)?\?",
        lambda answer, rows, seats, more, taken: numbers(
            answer, int(rows) * int(seats) + int(more or 0) - int(taken or 0)
        ),
    ),
    (r"Area of a (\d+) by (\d+) rectangle\?", lambda answer, a, b: numbers(answer, int(a) * int(b))),
    (
        r"Perimeter of a (\d+) by (\d+) rectangle(?: less (\d+))?\?",
        lambda answer, a, b, less: numbers(answer, 2 * (int(a) + int(b)) - int(less or 0)),
    ),
    (
        r"Volume of a (\d+) by (\d+) by (\d+) box\?",
        lambda answer, a, b, c: numbers(answer, int(a) * int(b) * int(c)),
    ),
    (r"First term (\d+), next is ([^,]*), term (\d+)\?", sequence),
    (r"f\(x\)=([^,]*)(?:, g\(x\)=([^,]*))?, ([fg].*)\?", functions),
]


def last_value_of_true_steps(worked):
    """The last value of a worked text, with each step checked: ``7+5->12-3->9`` gives 9."""
    start, steps = re.fullmatch(r"(\d+)((?:[-+*/%]\d+->\d+)+)", worked).groups()
    value = int(start)
    for sign, operand, shown in re.findall(r"([-+*/%])(\d+)->(\d+)", steps):
        operand, shown = int(operand), int(shown)
        if sign == "/":
            assert shown * operand == value, worked
        elif sign == "%":
            assert 0 <= shown < operand and (value - shown) % operand == 0, worked
        else:
            assert shown == {"+": value + operand, "-": value - operand, "*": value * operand}[sign], worked
        value = shown
    return value


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


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return written(tmp_path_factory.mktemp("data"), DATA)


def written(directory, data):
    outputs = {name: directory / f"{name}.parquet" for name in ("train", "development", *BENCHMARKS)}
    prepare(data, BENCHMARKS, outputs)
    return outputs


def test_the_files_have_the_numbers_levels_and_subjects_of_the_settings(prepared):
    tables = {name: read_parquet(path, "prompts") for name, path in prepared.items()}
    assert {name: len(table) for name, table in tables.items()} == {
        "train": 150,
        "development": 30,
        "all": 40,
        "hard": 15,
    }
    assert set(tables["hard"]["level"]) == {5}
    assert set(tables["train"]["level"]) == set(LEVELS)
    assert set(tables["train"]["subject"]) == set(SUBJECTS)


def test_no_prompt_occurs_twice_within_or_between_files(prepared):
    everything = pl.concat(read_parquet(path, "prompts") for path in prepared.values())
    assert everything["prompt"].n_unique() == everything["prompt_id"].n_unique() == len(everything)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_gives_other_problems(prepared, tmp_path):
    again = written(tmp_path / "again", DATA)
    assert all(again[name].read_bytes() == path.read_bytes() for name, path in prepared.items())
    other = read_parquet(written(tmp_path / "other", DATA | {"seed": 4})["train"], "prompts")
    assert not other.equals(read_parquet(prepared["train"], "prompts"))


def test_a_request_for_more_problems_than_exist_is_refused(tmp_path):
    outputs = {name: tmp_path / f"{name}.parquet" for name in ("train", "development", "easy")}
    too_many = {"easy": {"problems": 50_000, "levels": [1]}}
    with refused(where="easy", what="levels [1] are left", expected="50,000", advice="fewer problems"):
        prepare(DATA, too_many, outputs)


MIX = CorpusMix(practice=0.2, guided=0.3, worked=0.25, boxed=0.4, wrong=0.15)


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
