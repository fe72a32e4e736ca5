"""The files of a folder that may hold a log, and the keys of their first rows."""

import json

import pytest
from refusals import refused

from limr.logs.log_files import by_name, first_keys, log_files
from limr.logs.whole import read_log

VERL = {"input": "2+2?", "output": "4", "gts": "4", "score": 1.0, "step": 1}
FORK = {"prompt": "2+2?", "response": "4", "reward": 1.0, "response_length": 1.0}


def write(file, *rows):
    file.parent.mkdir(parents=True, exist_ok=True)
    is_list = file.suffix == ".json"
    file.write_text(json.dumps(rows) if is_list else "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_hidden_and_half_written_files_are_not_read(tmp_path):
    write(tmp_path / "1.jsonl", VERL)
    for name in (".2.jsonl", ".cache/3.jsonl", "4.jsonl.partial"):
        write(tmp_path / name, {**VERL, "score": None})
    assert read_log(tmp_path).files == [str(tmp_path / "1.jsonl")]


def test_a_first_row_of_any_length_is_read_for_its_keys(tmp_path):
    write(tmp_path / "1.jsonl", {"output": "x" * 3_000_000, **VERL, "z": 1})
    write(tmp_path / "a" / "step_1.json", {**FORK, "response": "y" * 3_000_000})
    assert read_log(tmp_path / "1.jsonl").format == "verl"
    assert read_log(tmp_path / "a").format == "limr_fork"


def test_a_path_without_a_log_is_refused(tmp_path):
    with refused(where=tmp_path / "absent", what="no such file or folder", expected="the log of a run"):
        read_log(tmp_path / "absent")
    with refused(where=tmp_path, what="no .json, .jsonl, .csv, .parquet file in it", expected="the log of a run"):
        read_log(tmp_path)
    (tmp_path / "log.txt").write_text("x")
    with refused(where="log.txt", found="the suffix '.txt'", expected=".json, .jsonl, .csv, .parquet"):
        read_log(tmp_path / "log.txt")


def test_files_are_sorted_by_the_numbers_in_their_names(tmp_path):
    for name in ("b_10.jsonl", "b_9.jsonl", "a/2.csv"):
        write(tmp_path / name, VERL)
    found = [str(file.relative_to(tmp_path)) for file in log_files(tmp_path)]
    assert found == ["a/2.csv", "b_9.jsonl", "b_10.jsonl"]
    assert by_name(tmp_path / "step_9") < by_name(tmp_path / "step_10")


@pytest.mark.parametrize(
    "name, content, what",
    [
        ("empty.csv", b"", "is empty (0 bytes)"),
        ("cut.json", b'[{"prompt": "2+', "its first row is not complete JSON"),
        ("other.parquet", b"PK" * 20, "cannot be read as Parquet (40 bytes"),
    ],
)
def test_an_unreadable_first_row_is_refused(tmp_path, name, content, what):
    (tmp_path / name).write_bytes(content)
    with refused(what=what, advice="Put the whole file back or remove it."):
        first_keys(tmp_path / name)


def test_a_header_with_an_open_quote_is_read(tmp_path):
    (tmp_path / "quote.csv").write_bytes(b'"prompt')
    assert first_keys(tmp_path / "quote.csv") == {"prompt"}
