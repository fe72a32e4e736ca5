"""The format of a log is recognised; a file that is left out has a reason."""

import json

import pytest
from refusals import refused

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
    with refused(where=tmp_path, what="files in two formats", found="1.jsonl", advice="--format") as error:
        read_log(tmp_path)
    assert all(name in error.value.found for name in ("verl (", "limr_fork (", "step_1.json"))


@pytest.mark.parametrize(
    "name, file, other", [("verl", "1.jsonl", "step_1.json"), ("limr_fork", "step_1.json", "1.jsonl")]
)
def test_one_of_two_formats_may_be_chosen(tmp_path, name, file, other):
    write(tmp_path / "1.jsonl", VERL)
    write(tmp_path / "step_1.json", FORK)
    log = read_log(tmp_path, LogOptions(format=name))
    assert log.files == [str(tmp_path / file)]
    assert list(log.left_out) == [str(tmp_path / other)]


def test_files_that_are_not_rollouts_are_left_out_with_the_reason(tmp_path):
    write(tmp_path / "1.jsonl", VERL)
    write(tmp_path / "metrics.jsonl", {"step": 1, "loss": 0.5})
    (tmp_path / "config.json").write_text("{ not json")
    log = read_log(tmp_path)
    assert log.files == [str(tmp_path / "1.jsonl")]
    assert log.left_out[str(tmp_path / "metrics.jsonl")] == "in no known format: its first row has loss, step"
    assert "not complete JSON" in log.left_out[str(tmp_path / "config.json")]


@pytest.mark.parametrize("content", [b"", b'{"input": "2+2?", "outp'])
def test_an_empty_or_truncated_file_of_the_log_is_an_error(tmp_path, content):
    write(tmp_path / "1.jsonl", VERL)
    (tmp_path / "2.jsonl").write_bytes(content)
    what = "its first row is not complete JSON" if content else "is empty"
    with refused(where=tmp_path / "2.jsonl", what=what, advice="Put the whole file back or remove it."):
        read_log(tmp_path)


def test_an_unknown_format_is_refused_with_the_keys_of_known_formats(tmp_path):
    write(tmp_path / "log.jsonl", {"question": "2+2?", "score": 1})
    with refused(what="in no known format", found="question, score in", expected="verl: input, output"):
        read_log(tmp_path)
    with refused(where="format", found="'vearl'", expected=", ".join(NAMES)):
        read_log(tmp_path, LogOptions(format="vearl"))


@pytest.mark.parametrize(
    ("columns", "advice"),
    [
        ({}, "name its columns: `--column prompt=NAME` `--column reward=NAME`."),
        ({"reward": "score"}, "name its columns: `--column prompt=NAME`."),
        ({"prompt_id": "question"}, "name its columns: `--column reward=NAME`."),
        ({"prompt": "questoin", "reward": "score"}, "`--column prompt=NAME`. It has no column 'questoin'."),
    ],
)
def test_the_columns_that_a_table_lacks_are_named(tmp_path, columns, advice):
    write(tmp_path / "table.jsonl", {"question": "2+2?", "score": 1})
    with refused(what="in no known format", advice=advice):
        read_log(tmp_path, LogOptions(columns=columns))
