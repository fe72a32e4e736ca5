"""Rollouts from Parquet files: columns of any Arrow type, batches of a dictionary, and text that is not UTF-8."""

import pyarrow
import pytest
from pyarrow import parquet
from refusals import refused

from limr.logs import table_parquet
from limr.logs.convert import convert
from limr.logs.whole import read_log


def write(folder, **columns):
    file = folder / "rollouts.parquet"
    parquet.write_table(pyarrow.table(columns), file, row_group_size=4)
    return file


def not_checked(texts):
    """Text as another language may write it: bytes that are not UTF-8 under Arrow's type of text."""
    return pyarrow.Array.from_buffers(pyarrow.string(), len(texts), pyarrow.array(texts).buffers())


@pytest.mark.parametrize(
    "column, values, expected",
    [
        ("reward", ["1.0"], "numbers"),
        ("reward", [True], "numbers"),
        ("step", [1.5], "a training step"),
        ("correct", ["y"], "numbers"),
        ("reward", [[1.0]], "numbers"),
    ],
)
def test_a_column_of_another_type_is_refused(tmp_path, column, values, expected):
    file = write(tmp_path, **({"prompt": ["1+1?"], "reward": [1.0]} | {column: values}))
    with refused(where=(file, f"column {column!r}"), expected=expected):
        read_log(file)


def test_chat_messages_are_prompts(tmp_path):
    chats = [[{"role": "system", "content": "Be brief."}, {"role": "user", "content": f"{n}+1?"}] for n in (1, 2, 1)]
    log = read_log(write(tmp_path, prompt=chats, reward=[0, 1, 0], answer=[["2"], ["3"], ["2"]]))
    assert [log.prompts[row].text for row in log.prompt] == ["1+1?", "2+1?", "1+1?"]
    assert {prompt.text: prompt.answer for prompt in log.prompts} == {"1+1?": "2", "2+1?": "3"}


@pytest.mark.parametrize("rows_at_a_time", [1, 3, 4, 100])
@pytest.mark.parametrize(
    "kind",
    [
        pyarrow.string(),
        pyarrow.large_string(),
        pyarrow.dictionary(pyarrow.int8(), pyarrow.string()),
        pyarrow.binary(),
    ],
    ids=str,
)
def test_any_type_of_text_in_batches_of_any_size_gives_the_same_log(tmp_path, monkeypatch, kind, rows_at_a_time):
    monkeypatch.setattr(table_parquet, "_ROWS_AT_A_TIME", rows_at_a_time)
    prompts = [f"{row // 2 % 5}+1?" for row in range(20)]
    column = pyarrow.array(prompts).dictionary_encode() if pyarrow.types.is_dictionary(kind) else prompts
    log = read_log(write(tmp_path, prompt=pyarrow.array(column).cast(kind), reward=list(range(20)), step=[1] * 20))
    assert [log.prompts[row].text for row in log.prompt] == prompts
    assert log.reward.tolist() == log.place.tolist() == list(range(20))
    assert log.step.tolist() == [1] * 20


@pytest.mark.parametrize("steps", [pyarrow.array([3, 4], pyarrow.uint8()), [3.0, 4.0]], ids=["uint8", "double"])
def test_steps_of_any_type_of_number_are_whole_numbers(tmp_path, steps):
    assert read_log(write(tmp_path, prompt=["a", "a"], reward=[0, 1], step=steps)).step.tolist() == [3, 4]


def test_a_prompt_that_is_not_utf_8_is_refused_with_its_row(tmp_path):
    prompts = not_checked([b"caf", b"caf", b"caf\xe9"])
    file = write(tmp_path, prompt=prompts, reward=[0, 1, 0])
    with refused(where=(file, "row 2", "column 'prompt'"), found="caf", expected="text that is UTF-8"):
        read_log(file)


def test_a_response_that_is_not_utf_8_does_no_harm(tmp_path):
    file = write(tmp_path, prompt=["a", "a"], reward=[0, 1], response=not_checked([b"caf\xe9", b"tea"]))
    assert read_log(file).reward.tolist() == [0, 1]
    convert(file, tmp_path / "converted")
    (shard,) = (tmp_path / "converted").iterdir()
    assert parquet.read_table(shard)["response"].to_pylist() == ["caf?", "tea"]


@pytest.mark.parametrize("responses, found", [([1, 2], "1"), ([["a"], ["b"]], '["a"]'), ([None, "b"], "")])
def test_a_response_that_is_not_text_is_refused_by_a_conversion(tmp_path, responses, found):
    file = write(tmp_path, prompt=["a", "a"], reward=[0, 1], response=responses)
    with refused(where=(file, "row 0", "column 'response'"), found=found):
        convert(file, tmp_path / "converted")


def test_a_file_that_is_cut_short_or_empty_is_refused(tmp_path):
    file = write(tmp_path, prompt=["a"] * 9, reward=[0.0] * 9)
    whole = file.read_bytes()
    file.write_bytes(whole[:-9])
    with refused(where=file, what="cannot be read as Parquet", advice="Put the whole file back"):
        read_log(file)
    parquet.write_table(pyarrow.table({"prompt": ["a"], "reward": [0.0]}).slice(0, 0), file)
    with refused(where=file, found="no rows"):
        read_log(file)
