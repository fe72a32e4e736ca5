"""Any table with named columns: Parquet, CSV and JSON Lines give the same log and name an invalid value."""

import numpy as np
import polars as pl
import pytest
from refusals import refused

from limr.logs import table_csv, table_parquet
from limr.logs.log import LogOptions
from limr.logs.whole import read_log
from limr.prompts import prompt_id

ROWS = [
    {
        "step": 3 + row // 8,
        "prompt": f'What is {row // 2 % 4},\n"½" + 1?',
        "answer": None if row % 4 > 1 else str(row // 2 % 4 + 1),
        "reward": [1.0, -0.5][row % 2],
        "correct": [True, False, None][row % 3],
        "response": "So it is,\nas it were, \\boxed{4}.",
    }
    for row in range(40)
]
FRAME = pl.DataFrame(ROWS)
WRITE = {
    "parquet": lambda frame, file: frame.write_parquet(file, row_group_size=7),
    "csv": lambda frame, file: frame.write_csv(file),
    "jsonl": lambda frame, file: frame.write_ndjson(file),
}
every_kind = pytest.mark.parametrize("kind", WRITE)


def write(frame, folder, kind, name="rollouts"):
    file = folder / f"{name}.{kind}"
    WRITE[kind](frame, file)
    return file


@pytest.fixture
def few_rows_at_a_time(monkeypatch):
    monkeypatch.setattr(table_csv, "_ROWS_AT_A_TIME", 3)
    monkeypatch.setattr(table_parquet, "_ROWS_AT_A_TIME", 3)


@every_kind
def test_rows_are_read_as_they_were_written(tmp_path, kind, few_rows_at_a_time):
    log = read_log(write(FRAME, tmp_path, kind))
    assert log.format == "table"
    assert [log.prompts[row].text for row in log.prompt] == FRAME["prompt"].to_list()
    assert [prompt.prompt_id for prompt in log.prompts] == sorted(map(prompt_id, set(FRAME["prompt"])))
    assert log.step.tolist() == FRAME["step"].to_list()
    assert log.reward.tolist() == FRAME["reward"].to_list()
    assert np.array_equal(log.correct, FRAME["correct"].cast(pl.Float64).fill_null(np.nan), equal_nan=True)
    assert {prompt.text: prompt.answer for prompt in log.prompts} == {
        row["prompt"]: row["answer"] for row in reversed(ROWS)
    }


@every_kind
def test_columns_may_have_other_names_and_an_id_may_replace_the_prompt(tmp_path, kind):
    names = {"reward": "score", "step": "iteration", "prompt_id": "index"}
    frame = FRAME.select(
        index=pl.int_range(pl.len()) // 2 % 4, score="reward", iteration="step", reward=pl.lit(0.0), response="response"
    )
    log = read_log(write(frame, tmp_path, kind), LogOptions(columns=names))
    assert [prompt.prompt_id for prompt in log.prompts] == ["0", "1", "2", "3"]
    assert log.prompt.tolist() == frame["index"].to_list()
    assert log.reward.tolist() == frame["score"].to_list()
    assert log.step.tolist() == frame["iteration"].to_list()


@every_kind
def test_the_step_may_be_in_the_files_name_or_nowhere(tmp_path, kind):
    for step in (10, 9):
        write(FRAME.drop("step"), tmp_path, kind, f"rollouts_step_{step}")
    assert read_log(tmp_path).step.tolist() == [9] * 40 + [10] * 40
    assert read_log(write(FRAME.drop("step"), tmp_path, kind, "all")).step is None


@every_kind
def test_files_of_several_kinds_and_rows_in_blocks_are_one_log(tmp_path, kind):
    whole = read_log(write(FRAME, tmp_path, kind))
    kinds = [kind, *(other for other in WRITE if other != kind)]
    (tmp_path / "pieces").mkdir()
    for number, piece in enumerate(FRAME.iter_slices(10)):
        write(piece, tmp_path / "pieces", kinds[number % 3], f"part_{number}")
    pieces = read_log(tmp_path / "pieces")
    assert [prompt.prompt_id for prompt in pieces.prompts] == [prompt.prompt_id for prompt in whole.prompts]
    for name in ("prompt", "step", "reward", "correct"):
        assert np.array_equal(getattr(whole, name), getattr(pieces, name), equal_nan=True)


@every_kind
@pytest.mark.parametrize(
    "column, value, parts",
    [
        ("reward", float("nan"), {"expected": "number"}),
        ("reward", float("inf"), {"expected": "number"}),
        ("reward", None, {"expected": "number"}),
        ("step", None, {"what": "is missing", "expected": "as in other rows"}),
        ("prompt", None, {}),
    ],
)
def test_an_invalid_value_is_named_with_its_place(tmp_path, kind, column, value, parts):
    values = FRAME[column].to_list()
    values[20] = value
    file = write(FRAME.with_columns(pl.Series(column, values)), tmp_path, kind)
    last_line = 63 if column == "prompt" else 64  # a row of this CSV has three lines, the header one
    place = {"parquet": "row 20", "jsonl": "line 21", "csv": f"line {last_line}"}[kind]
    with refused(where=(file, place, f"'{column}'"), **parts):
        read_log(file)


@every_kind
def test_a_named_column_that_is_missing_is_an_error(tmp_path, kind):
    options = LogOptions(format="table", columns={"reward": "score"})
    with refused(what="no file in the format table", found="reward is named 'score'"):
        read_log(write(FRAME, tmp_path, kind), options)
    if kind != "jsonl":  # rows of JSON need not have all keys
        with refused(what="no column 'score' (correct)", found="step, prompt"):
            read_log(tmp_path, LogOptions(columns={"correct": "score"}))


def test_a_column_that_no_log_has_is_an_error(tmp_path):
    with refused(where="columns", found="'rewards'", expected="one of prompt, prompt_id, step"):
        read_log(write(FRAME, tmp_path, "csv"), LogOptions(columns={"rewards": "score"}))
