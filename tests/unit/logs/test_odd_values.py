"""Odd column types, numbers, texts and names: read as they are, or refused with their place, never a traceback."""

import datetime
import decimal
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow
import pytest
from pyarrow import parquet
from refusals import refused

from limr.errors import LimrError, Words
from limr.logs.convert import convert
from limr.logs.log import Log
from limr.logs.source import read_source
from limr.logs.whole import read_log

PROMPTS = ["2+2?", "3+3?"] * 6
REWARDS = [1.0, 0.0, -0.5, 1.0] * 3
STEPS = [1] * 4 + [2] * 4 + [3] * 4
N = len(PROMPTS)


def table(folder: Path, **columns: Any) -> Path:
    """A Parquet file of twelve rollouts, with some columns replaced or added."""
    logged = {"prompt": PROMPTS, "reward": REWARDS, "step": STEPS, "response": ["4"] * N} | columns
    parquet.write_table(pyarrow.table(logged), folder / "table.parquet")
    return folder / "table.parquet"


def prompts_of(log: Log) -> list[str]:
    return [log.prompts[row].text or log.prompts[row].prompt_id for row in log.prompt]


def encoded(index: pyarrow.DataType) -> pyarrow.Array:
    return pyarrow.array(PROMPTS).dictionary_encode().cast(pyarrow.dictionary(index, pyarrow.string()))


UNSIGNED = (pyarrow.uint8(), pyarrow.uint16(), pyarrow.uint32(), pyarrow.uint64())
TEXTS = {
    **{f"dictionary with {index} indices": encoded(index) for index in (*UNSIGNED, pyarrow.int8(), pyarrow.int64())},
    **{str(kind): pyarrow.array(PROMPTS, kind) for kind in (pyarrow.large_string(), pyarrow.string_view())},
    **{
        str(kind): pyarrow.array([prompt.encode() for prompt in PROMPTS], kind)
        for kind in (pyarrow.binary(), pyarrow.large_binary(), pyarrow.binary(4), pyarrow.binary_view())
    },
    "Polars categories": pl.Series(PROMPTS, dtype=pl.Categorical).to_arrow(),
    "a Polars enum": pl.Series(PROMPTS, dtype=pl.Enum(["3+3?", "2+2?", "unused"])).to_arrow(),
}


@pytest.mark.parametrize("column", ["prompt", "prompt_id"])
@pytest.mark.parametrize("kind", TEXTS)
def test_every_type_of_text_is_read(kind: str, column: str, tmp_path: Path) -> None:
    file = table(tmp_path, **{column: TEXTS[kind]})
    log = read_log(file)
    assert prompts_of(log) == PROMPTS and log.reward.tolist() == REWARDS
    convert(file, tmp_path / "own")
    assert read_source(tmp_path / "own").audit.rollouts == N


@pytest.mark.parametrize(
    "rewards",
    [
        pyarrow.array(np.array(REWARDS, np.float16)),
        pyarrow.array(REWARDS, pyarrow.float32()),
        pyarrow.array(REWARDS).dictionary_encode(),
        pyarrow.array([0, 1, 2**64 - 1] * 4, pyarrow.uint64()),
        pyarrow.array([0, 1, -(2**63)] * 4),
    ],
    ids=lambda column: str(column.type),
)
def test_every_type_of_number_is_a_reward(rewards: pyarrow.Array, tmp_path: Path) -> None:
    assert read_log(table(tmp_path, reward=rewards)).reward.tolist() == list(map(float, rewards.to_pylist()))


DAY = datetime.datetime(2026, 8, 20)


@pytest.mark.parametrize(
    ("column", "values", "found"),
    [
        ("reward", pyarrow.array([decimal.Decimal("0.5")] * N), "decimal128(1, 1)"),
        ("reward", pyarrow.array([DAY] * N), "timestamp[us]"),
        ("reward", pyarrow.array([[1.0]] * N), "list<element: double>"),
        ("reward", pyarrow.array(["1"] * N), "string"),
        ("reward", pyarrow.nulls(N), "NaN or nothing"),
        ("step", pyarrow.array([DAY] * N), "timestamp[us]"),
        ("step", pyarrow.array([2**64 - 1] * N, pyarrow.uint64()), "18446744073709551615"),
        ("step", pyarrow.array([1e300] * N), "1e+300"),
        ("prompt", pyarrow.array([DAY] * N), "2026-08-20"),
        ("prompt", pyarrow.array([decimal.Decimal("0.5")] * N), "0.5"),
        ("prompt", pyarrow.array([[("a", "b")]] * N, pyarrow.map_(pyarrow.string(), pyarrow.string())), '[["a", "b"]]'),
        ("prompt_id", pyarrow.array([b"\xff"] * N), r"\udcff"),
        ("answer", pyarrow.array([b"\xff"] * N), r"\udcff"),
    ],
)
def test_other_types_are_refused_with_the_column(column: str, values: Any, found: str, tmp_path: Path) -> None:
    file = table(tmp_path, **{column: values})
    with refused(where=(file, f"column {column!r}"), found=found):
        read_log(file)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    columns = [pyarrow.array(values) for values in (PROMPTS, REWARDS, REWARDS[::-1])]
    parquet.write_table(pyarrow.Table.from_arrays(columns, ["prompt", "reward", "reward"]), tmp_path / "a.parquet")
    (tmp_path / "a.csv").write_text("prompt,reward,reward\nx,1,0\n")
    for name in ("a.parquet", "a.csv"):
        with refused(where=(tmp_path / name, "column 'reward'"), found="2 columns of this name"):
            read_log(tmp_path / name)


# JSON.


GOOD = {"step": b"1", "prompt": b'"x"', "reward": b"1", "response": b'"4"'}


def lines(folder: Path, *rows: dict[str, bytes]) -> Path:
    """A JSON Lines file of rows with raw values."""
    text = [b"{" + b", ".join(b'"%b": %b' % (key.encode(), value) for key, value in row.items()) + b"}" for row in rows]
    (folder / "table.jsonl").write_bytes(b"\n".join(text))
    return folder / "table.jsonl"


DIGITS = b"9" * 5_000
RAW = {
    "5,000 digits": DIGITS,
    "an unknown escape": rb'"\q"',
    "a raw control character": b'"a\x01b"',
    "a zero in front": b"01",
    "half an exponent": b"1e",
    "half a word": b"tru",
    "nothing": b"",
    "half a pair": rb'"\ud800"',
    "not UTF-8": b'"\xff"',
    "a comma too many": b"[1,]",
    "100,000 brackets": b"[" * 100_000 + b"]" * 100_000,
    "2,000 brackets": b"[" * 2_000 + b"]" * 2_000,
    "infinity": b"-Infinity",
    "beyond float64": b"1e999",
}


@pytest.mark.parametrize("column", ["prompt", "prompt_id", "answer", "response", "reward", "step", "correct", "other"])
@pytest.mark.parametrize("raw", RAW)
def test_a_value_that_is_no_value_is_refused_or_not_needed(column: str, raw: str, tmp_path: Path) -> None:
    good = GOOD | ({"prompt_id": b'"a"'} if column == "prompt_id" else {})
    for place in (0, 2):
        rows = [good] * 4
        rows[place] = good | {column: RAW[raw]}
        file = lines(tmp_path, *rows)
        for read in (read_log, lambda file: convert(file, tmp_path / "own")[0]):
            try:
                log = read(file)
            except LimrError as error:
                assert error.where[0] == str(file)
            else:
                assert column not in ("prompt", "prompt_id", "reward")
                assert log.reward.tolist() == [1.0] * 4 and len(log.prompts) == 1


def test_a_long_number_is_no_reason_to_refuse_a_row_that_does_not_need_it(tmp_path: Path) -> None:
    assert len(read_log(lines(tmp_path, GOOD | {"other": DIGITS}, GOOD))) == 2
    log = read_log(lines(tmp_path, GOOD | {"answer": DIGITS}, GOOD))
    assert log.prompts[0].answer == DIGITS.decode()


@pytest.mark.parametrize("column", ["prompt_id", "answer"])
def test_half_a_pair_is_refused_where_it_would_be_written(column: str, tmp_path: Path) -> None:
    file = lines(tmp_path, *[GOOD | {column: rb'"\ud800"'}] * 3)
    with refused(where=(file, "line 1", f"key {column!r}"), expected="text that is UTF-8"):
        read_log(file)


def test_deep_nesting_is_named(tmp_path: Path) -> None:
    file = lines(tmp_path, GOOD | {"other": b"[" * 100_000 + b"]" * 100_000})
    with refused(where=file, what="nested too deeply"):
        read_log(file)


def test_of_two_equal_keys_the_last_counts_as_in_every_reader(tmp_path: Path) -> None:
    for first in (b"0", b'"text"'):
        (tmp_path / "table.jsonl").write_bytes(b'{"prompt": "x", "reward": %b, "reward": 1}\n' % first)
        assert read_log(tmp_path).reward.tolist() == [1.0]


@pytest.mark.parametrize(
    "nodes",
    [b"5", b"[5]", b"[{}]", b'[{"message": 5}]', b'[{"message": {}, "mask": [1]}]', rb'[{"message": {"a": "\q"}}]'],
)
def test_messages_of_another_shape_are_refused_in_a_conversion(nodes: bytes, tmp_path: Path) -> None:
    trace = b'{"task": {"data": {"prompt": "x"}}, "nodes": %b, "rewards": {"c": {"score": 1}}, "ok": true}' % nodes
    row = b'{"id": "e", "env": {}, "task": {}, "traces": [%b]}\n'
    (tmp_path / "traces.jsonl").write_bytes(row % b"" + row % trace)
    with refused(where=(tmp_path / "traces.jsonl", "line 2")):
        convert(tmp_path, tmp_path.with_name("own"))


def test_a_length_that_no_response_has_is_refused_in_a_conversion(tmp_path: Path) -> None:
    for length in (10**30, -1):
        row = {"prompt": "x", "response": "4", "reward": 1.0, "response_length": length}
        (tmp_path / "step_1.json").write_text(json.dumps([row]))
        with refused(
            where=(tmp_path / "step_1.json", "row 0", "key 'response_length'"),
            found=json.dumps(float(length) if length > 0 else length)[:4],
        ):
            convert(tmp_path, tmp_path.with_name("own"))


# Steps.


@pytest.mark.parametrize(
    "steps",
    [[1, 2, 10**15], [1, 2, 3, 5_000_000], [-(2**63), 2**63 - 1], [0, 2**63 - 1], [20260820, 20260821, 1]],
    ids=str,
)
def test_steps_too_far_apart_are_refused_instead_of_filling_the_memory(steps: list[int], tmp_path: Path) -> None:
    file = lines(tmp_path, *[GOOD | {"step": str(step).encode()} for step in steps for _ in range(2)])
    with refused(where="steps", found="followed by step", advice="--column step=NAME"):
        read_source(file)


@pytest.mark.parametrize("name", [f"step_{'9' * 23}.jsonl", f"step_{'9' * 200}.jsonl"])
def test_a_step_in_a_name_that_is_too_large_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text('{"prompt": "x", "reward": 1}\n')
    with refused(where=tmp_path / name, expected="a training step"):
        read_log(tmp_path)


def test_a_step_in_the_name_of_a_folder_that_is_too_large_is_refused(tmp_path: Path) -> None:
    file = tmp_path / f"step_{'9' * 23}" / "train_rollouts.jsonl"
    file.parent.mkdir()
    row = {"example_id": 1, "prompt": "x", "completion": "4", "reward": 1, "is_completed": True}
    file.write_text(json.dumps(row))
    with refused(where=file, expected="a training step"):
        read_log(tmp_path)


# CSV: numbers as other programs read them.


@pytest.mark.parametrize("written", ["1_0", "\u0661", "0x1", "1,0", "", "\x001"])
def test_a_number_that_only_python_reads_is_refused(written: str, tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text(f'prompt,reward,step\nx,"{written}",1\n', encoding="utf-8")
    with refused(where=(file, "line 2", "column 'reward'")):
        read_log(file)


# One-Shot-RLVR's JSON.


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (b'{"1": [0.5], "2": ' + b"[" * 100_000, {"what": "nested too deeply"}),
        (b'{"1": [0.5], "2": [' + DIGITS + b"]}", {"what": "a whole number is too long"}),
        (rb'{"1": [0.5], "\ud800": [0.5]}', {"what": "a lone surrogate"}),
        (b'{"1": [0.5], "1": [0.25]}', {"what": "a key occurs more than once", "found": '"1"'}),
    ],
    ids=["brackets", "digits", "half a pair", "a prompt twice"],
)
def test_accuracies_with_odd_values_are_refused(text: bytes, parts: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "acc.json").write_bytes(text)
    with refused(where=tmp_path / "acc.json", **parts):
        read_source(tmp_path / "acc.json")


def test_accuracies_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "acc.json").write_bytes(b'\xef\xbb\xbf{"1": [0.5]}')
    assert read_source(tmp_path / "acc.json").trajectories.accuracy.tolist() == [0.5]


# Names from files in messages and on the page.

ODD = "a\x1b[31m\n# H <b>|`x"


def is_clean(text: str) -> bool:
    return text.isprintable() or all(line.isprintable() for line in text.split("\n"))


def test_odd_names_of_columns_and_files_are_escaped_in_errors(tmp_path: Path) -> None:
    def message(read: Callable[[], Any]) -> str:
        with pytest.raises(LimrError) as raised:
            read()
        return raised.value.render(Words.COMMAND_LINE)

    pl.DataFrame({ODD: ["x"], "q": [1]}).write_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_text(json.dumps({ODD: 1}))
    (tmp_path / "b.jsonl").write_text(json.dumps({"prompt": "x", "reward": ODD}))
    odd_file = tmp_path / "e\x1b[31m\n<b>|.jsonl"
    odd_file.write_text(json.dumps({"prompt": "x", "reward": "y"}))
    for file in (tmp_path / "a.parquet", tmp_path / "a.jsonl", tmp_path / "b.jsonl", odd_file):
        text = message(lambda file=file: read_log(file))
        assert text.isprintable(), text


def test_odd_prompts_columns_and_files_are_escaped_in_the_audit(tmp_path: Path) -> None:
    folder = tmp_path / "run\x1b`\n<i>"
    folder.mkdir()
    rows = [
        {"prompt_id": prompt, "reward": 1.0, "step": step}
        for step in (1, 2, 3)
        for prompt in (ODD, "b")
        for _ in range(1 if (step, prompt) == (2, ODD) else 2)
    ]
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / f"{ODD.replace('/', '')}.json").write_text(json.dumps({ODD: 1}))
    audit = read_source(folder).audit
    page = audit.markdown(Words.COMMAND_LINE)
    for text in (page, *audit.summary()):
        assert is_clean(text)
    first, _, rest = page.partition("\n\n**Check this:**")
    assert first == f"# Audit\n\n`` {folder.parent}/run\\x1b`\\n<i> ``"
    assert rest.count("<") == rest.count("\\<") >= 3
    assert "\n# H" not in rest
