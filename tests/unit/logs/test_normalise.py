"""The normaliser: one rule for prompts, ids, answers, steps, rewards and responses of all readers."""

import json

import msgspec
import numpy as np
import pytest
from json_logs import rows_of, write_lines
from refusals import has, refused

from limr.logs.normalise import Encoded, Rollouts, RowError, to_part
from limr.logs.whole import read_log
from limr.prompts import prompt_id


def part_of(n=3, with_responses=False, **columns):
    """The part of some rollouts at places 5, 6, ...; a reward is 0 unless the test gives another one."""
    rollouts = Rollouts(**{"reward": [0.0] * n, "prompt": ["2+2?"] * n} | columns)
    return to_part(rollouts, np.arange(5, 5 + n), with_responses)


def prompts_of(part):
    return [part.prompts[row] for row in part.prompt]


def test_prompts_that_differ_in_white_space_are_one_prompt(tmp_path):
    rows = [{"prompt": prompt, "reward": 0} for prompt in ("What is  2+2?", " What is\n2+2?", "What is 2+3?")]
    log = read_log(write_lines(tmp_path / "rollouts.jsonl", rows))
    assert len(log.prompts) == 2
    assert log.prompt[0] == log.prompt[1] != log.prompt[2]


@pytest.mark.parametrize(
    "prompt",
    [
        ["b", "b", "a", "b", "c"],
        [b'"b"', b'"b"', b'"a"', b'"b"', b'"c"'],
        [msgspec.Raw(text) for text in (b'"b"', b'"b"', b'"a"', b'"b"', b'"c"')],
        Encoded(["a", "b", "c"], np.array([1, 1, 0, 1, 2])),
    ],
    ids=["text", "JSON", "views of JSON", "dictionary"],
)
def test_a_column_of_any_kind_gives_the_same_prompts_and_the_first_answer_of_each(prompt):
    part = part_of(5, prompt=prompt, answer=["1", "2", "3", "4", None])
    assert [found.text for found in prompts_of(part)] == ["b", "b", "a", "b", "c"]
    assert [found.prompt_id for found in prompts_of(part)] == list(map(prompt_id, ["b", "b", "a", "b", "c"]))
    assert [found.answer for found in prompts_of(part)] == ["1", "1", "3", "1", None]
    assert len(part.prompts) == 3


@pytest.mark.parametrize("ids", [["7", 7, "x"], [b'"7"', b"7", b'"x"'], Encoded([7, "x"], np.array([0, 0, 1]))])
def test_an_id_of_the_log_is_the_name_of_a_prompt(ids):
    part = part_of(prompt_id=ids, prompt=["a", None, "b"])
    assert [found.prompt_id for found in prompts_of(part)] == ["7", "7", "x"]
    assert prompts_of(part)[0].text == "a"


def test_if_all_ids_are_missing_the_prompt_gives_the_id():
    assert part_of(prompt_id=[None, None, None]).prompts[0].prompt_id == prompt_id("2+2?")


@pytest.mark.parametrize(
    "answer, text", [(b'["4"]', "4"), (b'["4", "5"]', '["4", "5"]'), (b"4", "4"), (b"", None), (b"null", None)]
)
def test_an_answer_is_text_and_a_list_of_one_answer_is_that_answer(answer, text):
    assert part_of(1, answer=[answer]).prompts[0].answer == text


@pytest.mark.parametrize("steps", [[3, 3, 4], np.array([3, 3, 4]), np.array([3.0, 3.0, 4.0])])
def test_steps_are_whole_numbers(steps):
    assert part_of(step=steps).step.tolist() == [3, 3, 4]
    assert part_of(step=steps).step.dtype == np.int64


@pytest.mark.parametrize("steps", [None, [None] * 3, np.full(3, np.nan)])
def test_a_log_may_have_no_steps(steps):
    assert part_of(step=steps).step is None


BAD = {
    "no prompt": ({"prompt": ["a", None, "b"]}, 1, "prompt", {"what": "is missing"}),
    "no prompt in the dictionary": (
        {"prompt": Encoded(["a", None], np.array([0, 0, 1]))}, 2, "prompt", {"what": "is missing"}
    ),
    "a number for a prompt": ({"prompt": [b"7"] * 3}, 0, "prompt", {"found": "7", "expected": "chat messages"}),
    "null for a prompt": ({"prompt": [b"null"] * 3}, 0, "prompt", {"found": "null", "expected": "chat messages"}),
    "a lone surrogate": (
        {"prompt": ["a", "half \ud83d", "b"]}, 1, "prompt", {"found": "half", "expected": "text that is UTF-8"}
    ),
    "true for an id": ({"prompt_id": [b"1", b"true", b"2"]}, 1, "prompt_id", {"found": "true", "expected": "text or"}),
    "no id": ({"prompt_id": ["a", None, "b"]}, 1, "prompt_id", {"what": "is missing"}),
    "NaN for a reward": ({"reward": [0.0, 1.0, float("nan")]}, 2, "reward", {"found": "NaN", "expected": "finite"}),
    "infinite reward": ({"reward": np.array([0, np.inf, 0])}, 1, "reward", {"found": "Infinity", "expected": "finite"}),
    "infinite correctness": ({"correct": [0, None, -np.inf]}, 2, "correct", {"found": "-Inf", "expected": "share"}),
    "a step missing": ({"step": [1, None, 2]}, 1, "step", {"what": "is missing", "expected": "as in other rows"}),
    "a step not whole": ({"step": np.array([1, 1.5, 2])}, 1, "step", {"found": "1.5", "expected": "a training step"}),
    "a step too long": ({"step": [1, 2, 10**400]}, 2, "step", {"found": "1000", "expected": "a training step"}),
    "no response": ({"response": ["a", "b", None]}, 2, "response", {"what": "is missing", "advice": "conversion"}),
    "a number for a response": ({"response": ["a", b"7", "b"]}, 1, "response", {"found": "7", "expected": "text"}),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_an_invalid_value_is_refused_with_its_row_and_column(case):
    columns, row, column, parts = BAD[case]
    with pytest.raises(RowError) as raised:
        part_of(with_responses="response" in columns, **columns)
    assert (raised.value.row, raised.value.column) == (row, column)
    assert has(raised.value.error, parts), raised.value.error


def test_an_error_names_the_row_where_rows_hold_several_rollouts_or_none():
    assert part_of(row=[0, 2, 2]).place.tolist() == [5, 7, 7]
    with pytest.raises(RowError) as raised:
        part_of(row=[0, 2, 2], reward=[0, np.nan, 0])
    assert raised.value.row == 2


def test_bytes_that_are_not_text_become_question_marks_in_a_response():
    part = part_of(with_responses=True, response=["½\n", b'"a \\ud83d b"', b'"\xff"'])
    assert part.responses == ["½\n".encode(), b"a ? b", b"?"]
    assert part.response_tokens == part.truncated == [None] * 3


@pytest.mark.parametrize(
    "change, parts",
    [
        ({"step": None}, {"what": "is missing", "expected": "as in other rows"}),
        ({"prompt": 7}, {"found": "7", "expected": "text, or a list of chat messages"}),
        ({"prompt": None}, {"found": "null", "expected": "text, or a list of chat messages"}),
        ({"prompt": "half \ud83d"}, {"found": "half", "expected": "text that is UTF-8"}),
    ],
)
def test_the_readers_add_file_line_and_key(tmp_path, change, parts):
    rows = rows_of(3)
    rows[1] |= change
    (tmp_path / "rollouts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with refused(where=("rollouts.jsonl", "line 2", f"key {next(iter(change))!r}"), **parts):
        read_log(tmp_path)
