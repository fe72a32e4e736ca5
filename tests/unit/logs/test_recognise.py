"""Which files are read, in which order, and in which format; what is left out is said."""

import json

import pytest

from limr.errors import LimrError
from limr.logs.formats import NAMES
from limr.logs.log import LogOptions
from limr.logs.whole import read_log

VERL = {"input": "2+2?", "output": "4", "gts": "4", "score": 1.0, "step": 1}
FORK = {"prompt": "2+2?", "response": "4", "reward": 1.0, "response_length": 1.0}


def write(file, *rows):
    file.parent.mkdir(parents=True, exist_ok=True)
    is_list = file.suffix == ".json"
    file.write_text(json.dumps(rows) if is_list else "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_two_formats_in_one_folder_are_an_error_that_names_a_file_of_each(tmp_path):
    write(tmp_path / "1.jsonl", VERL)
    write(tmp_path / "step_1.json", FORK)
    with pytest.raises(LimrError, match=r"two formats, verl \(.*1.jsonl\), limr_fork \(.*step_1.json\)"):
        read_log(tmp_path)


@pytest.mark.parametrize(
    "name, file, other", [("verl", "1.jsonl", "step_1.json"), ("limr_fork", "step_1.json", "1.jsonl")]
)
def test_one_of_two_formats_may_be_chosen(tmp_path, name, file, other):
    write(tmp_path / "1.jsonl", VERL)
    write(tmp_path / "step_1.json", FORK)
    log = read_log(tmp_path, LogOptions(format=name))
    assert log.files == [str(tmp_path / file)]
    assert list(log.left_out) == [str(tmp_path / other)]


def test_files_that_are_no_log_are_left_out_with_the_reason(tmp_path):
    write(tmp_path / "1.jsonl", VERL)
    write(tmp_path / "metrics.jsonl", {"step": 1, "loss": 0.5})
    (tmp_path / "config.json").write_text("{ not json")
    log = read_log(tmp_path)
    assert log.files == [str(tmp_path / "1.jsonl")]
    assert log.left_out[str(tmp_path / "metrics.jsonl")] == "in no known format: its first row has loss, step"
    assert "not whole JSON" in log.left_out[str(tmp_path / "config.json")]


@pytest.mark.parametrize("content", [b"", b'{"input": "2+2?", "outp'])
def test_an_empty_or_truncated_file_of_the_log_is_an_error(tmp_path, content):
    write(tmp_path / "1.jsonl", VERL)
    (tmp_path / "2.jsonl").write_bytes(content)
    with pytest.raises(LimrError, match=r"2.jsonl: (is empty|its first row is not whole JSON)"):
        read_log(tmp_path)


def test_hidden_and_half_written_files_are_not_looked_at(tmp_path):
    write(tmp_path / "1.jsonl", VERL)
    for name in (".2.jsonl", ".cache/3.jsonl", "4.jsonl.partial"):
        write(tmp_path / name, {**VERL, "score": None})
    assert read_log(tmp_path).files == [str(tmp_path / "1.jsonl")]


def test_a_first_row_of_any_length_is_read_for_its_keys(tmp_path):
    write(tmp_path / "1.jsonl", {"output": "x" * 3_000_000, **VERL, "z": 1})
    write(tmp_path / "a" / "step_1.json", {**FORK, "response": "y" * 3_000_000})
    assert read_log(tmp_path / "1.jsonl").format == "verl"
    assert read_log(tmp_path / "a").format == "limr_fork"


def test_an_unknown_format_lists_what_is_known_by_which_keys(tmp_path):
    write(tmp_path / "log.jsonl", {"question": "2+2?", "score": 1})
    with pytest.raises(LimrError, match=r"in no known format: .*log.jsonl has question, score. .*verl: input, output"):
        read_log(tmp_path)
    with pytest.raises(LimrError, match=f"format: found 'vearl', expected one of {', '.join(NAMES)}"):
        read_log(tmp_path, LogOptions(format="vearl"))


def test_no_log_at_all_is_an_error(tmp_path):
    with pytest.raises(LimrError, match="no such file or folder"):
        read_log(tmp_path / "absent")
    with pytest.raises(LimrError, match=r"no .json, .jsonl, .csv, .parquet file in it"):
        read_log(tmp_path)
    (tmp_path / "log.txt").write_text("x")
    with pytest.raises(LimrError, match=r"found the suffix '.txt'"):
        read_log(tmp_path / "log.txt")
