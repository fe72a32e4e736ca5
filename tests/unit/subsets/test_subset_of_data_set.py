"""The subset as rows of a user's own data set: the rows that are found, and the error about those that are not."""

import json

import pytest
from refusals import has, refused

from limr.prompts import prompt_id
from limr.subsets.data_set import DataSet, read_data_set
from limr.subsets.subset_of_data_set import subset_of_data_set

LOGGED = {prompt_id(text): text for text in ("1 + 1?", "2 * 3?", "5 - 4?")}
ONE, TWO, THREE = LOGGED


def data_set_of(tmp_path, *prompts: object) -> DataSet:
    file = tmp_path / "data.jsonl"
    file.write_text("".join(json.dumps({"question": prompt}) + "\n" for prompt in prompts))
    return read_data_set(str(file))


def test_every_row_of_a_selected_prompt_is_found_in_the_order_of_the_data_set(tmp_path):
    found = subset_of_data_set([THREE, ONE], LOGGED, data_set_of(tmp_path, "1  + 1?", "2 * 3?", "5 - 4?", "1 + 1?"), {})
    assert (found.rows, found.missing, found.prompt_column) == ([0, 2, 3], None, "question")
    assert found.summary() == [
        "found 2 by text (prompts in column 'question')",
        "duplicate rows of these prompts, kept too: 1",
    ]


def test_a_prompt_that_is_not_found_is_shown_with_the_nearest_text(tmp_path):
    data_set = data_set_of(tmp_path, "1 + 1?", "2 * 4?")
    error = subset_of_data_set([ONE, TWO], LOGGED, data_set, {}).missing
    assert has(error, {"where": data_set.file, "what": "1 of the 2 selected prompts are not among its rows"})
    for advice in (f"prompt {TWO}", "in the log: '2 * 3?'", "nearest in column 'question': '2 * 4?'"):
        assert has(error, {"advice": advice})
    for advice in ("--column prompt=NAME", "--column prompt_id=NAME"):
        assert has(error, {"advice": advice})


def test_a_log_without_texts_needs_a_column_of_ids(tmp_path):
    error = subset_of_data_set([ONE, "7"], {}, data_set_of(tmp_path, "1 + 1?"), {}).missing
    assert has(error, {"what": "prompt 7 is one of them", "advice": "--column prompt_id=NAME"})


def ids_of(tmp_path, *ids: object) -> DataSet:
    file = tmp_path / "data.jsonl"
    rows = ({"question": f"question {number}", "id": name} for number, name in enumerate(ids))
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_data_set(str(file))


@pytest.mark.parametrize(
    ("ids", "line", "parts"),
    [
        ((1, "1"), 2, {"found": '"1"', "expected": "ids that are all text, or all whole numbers"}),
        ((1.0,), 1, {"found": "1.0", "expected": "an id: text or a whole number"}),
        ((float("nan"),), 1, {"found": "NaN"}),
        ((True,), 1, {"found": "true"}),
        ((["1"],), 1, {"found": '["1"]'}),
        (("\ud83d",), 1, {"what": "a lone surrogate"}),
    ],
)
def test_ids_that_could_be_taken_for_others_are_refused_with_column_and_line(tmp_path, ids, line, parts):
    with refused(where=f"line {line}: column 'id'", **parts):
        subset_of_data_set(["1"], {}, ids_of(tmp_path, *ids), {"prompt_id": "id"})


def test_whole_numbers_are_ids_and_rows_without_an_id_are_not_found_by_it(tmp_path):
    found = subset_of_data_set(["1", "9007199254740993"], {}, ids_of(tmp_path, None, 2**53 + 1, 1), {"prompt_id": "id"})
    assert found.rows == [1, 2]
    assert subset_of_data_set(["b"], {}, ids_of(tmp_path, "", "b", None), {"prompt_id": "id"}).rows == [1]


def test_an_id_of_two_different_prompts_finds_neither(tmp_path):
    error = subset_of_data_set(["1", "2"], {}, ids_of(tmp_path, "1", "1", "2"), {"prompt_id": "id"}).missing
    assert has(error, {"what": "1 of the 2 selected prompts are not among its rows (1 of them because two different"})


def test_a_data_set_with_none_of_the_prompts_is_refused(tmp_path):
    with refused(what="2 of the 2 selected prompts are not among its rows"):
        subset_of_data_set([ONE, TWO], LOGGED, data_set_of(tmp_path, "something", "else"), {})


@pytest.mark.parametrize(
    ("prompt", "parts"),
    [
        (7, {"found": "7", "expected": "text, or messages with at least one of the user"}),
        ([{"role": "system", "content": "x"}], {"expected": "at least one of the user"}),
        ("half \ud83d", {"what": "a lone surrogate"}),
    ],
)
def test_a_prompt_that_is_not_text_is_refused_with_its_place(tmp_path, prompt, parts):
    data_set = data_set_of(tmp_path, "1 + 1?", prompt)
    with refused(where=(f"{data_set.file}: line 2", "'question'"), **parts):
        subset_of_data_set([ONE], LOGGED, data_set, {})


def test_a_data_set_without_rows_or_without_a_column_of_prompts_is_refused(tmp_path):
    with refused(where="data.jsonl", what="there are no rows"):
        data_set_of(tmp_path)
    (tmp_path / "data.jsonl").write_text('{"text": "1 + 1?"}\n')
    data_set = read_data_set(str(tmp_path / "data.jsonl"))
    with refused(what="no column of prompts", found="text", expected="one of prompt, problem", advice="prompt=NAME"):
        subset_of_data_set([ONE], LOGGED, data_set, {})
    (tmp_path / "data.jsonl").write_text('{"text": "1 + 1?"}\n{"prompt": "2"}\n')
    with refused(where="line 2", what="key 'text' is missing", found="prompt"):
        subset_of_data_set([ONE], LOGGED, read_data_set(str(tmp_path / "data.jsonl")), {"prompt": "text"})
    (tmp_path / "data.jsonl").write_text('{"prompt": "1 + 1?", "extra_info": {"index": 3}}\n')
    with refused(what="key 'index' is missing", found="the keys prompt, extra_info.index"):
        subset_of_data_set([ONE], LOGGED, read_data_set(str(tmp_path / "data.jsonl")), {"prompt_id": "index"})
