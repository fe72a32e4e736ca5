"""Rows of JSON text: lists, lines, blocks and processes give the same log, and an error names the line of the file."""

import json

import pytest
from json_logs import rows_of, same, write_lines
from refusals import refused

from limr.logs import json_rows
from limr.logs.log import LogOptions
from limr.logs.whole import read_log


def test_rows_are_read_as_they_were_written(tmp_path):
    rows = rows_of(50)
    log = read_log(write_lines(tmp_path / "rollouts.jsonl", rows))
    assert [log.prompts[row].text for row in log.prompt] == [row["prompt"] for row in rows]
    assert log.step.tolist() == [row["step"] for row in rows]
    assert log.reward.tolist() == [row["reward"] for row in rows]
    assert log.place.tolist() == list(range(1, 51))


def test_a_list_is_read_like_lines(tmp_path):
    rows = rows_of(50)
    lines = read_log(write_lines(tmp_path / "rollouts.jsonl", rows))
    (tmp_path / "rollouts.json").write_text(json.dumps(rows, indent=4), encoding="utf-8")
    listed = read_log(tmp_path / "rollouts.json")
    assert listed.place.tolist() == list(range(50))
    listed.place[:] += 1
    assert same(lines, listed)


@pytest.mark.parametrize("block_bytes", [1, 3000])
def test_blocks_in_processes_give_the_same_log(tmp_path, monkeypatch, block_bytes):
    files = [write_lines(tmp_path / f"step_{number}.jsonl", rows_of(30 + number)) for number in (1, 2, 10)]
    at_once = read_log(tmp_path)
    monkeypatch.setattr(json_rows, "BLOCK_BYTES", block_bytes)
    assert len(list(json_rows._blocks(files[0]))) > 1
    assert same(at_once, read_log(tmp_path))
    assert read_log(tmp_path).files == list(map(str, files))


def test_a_fault_in_a_later_block_has_its_line_in_the_file(tmp_path, monkeypatch):
    rows = rows_of(40)
    rows[33]["reward"] = None
    file = write_lines(tmp_path / "rollouts.jsonl", rows)
    monkeypatch.setattr(json_rows, "BLOCK_BYTES", 2000)
    with refused(where=("rollouts.jsonl", "line 34", "key 'reward'"), found="null", expected="a number"):
        read_log(file)


def test_responses_of_10_megabytes_do_not_stop_the_reader(tmp_path):
    rows = [{**row, "response": "x\\\n" * 2_500_000} for row in rows_of(3)]
    log = read_log(write_lines(tmp_path / "rollouts.jsonl", rows))
    assert log.reward.tolist() == [row["reward"] for row in rows]


@pytest.mark.parametrize("text", [b"[]", b" \n\n"])
def test_a_file_without_rows_is_refused(tmp_path, text):
    file = tmp_path / "rollouts.jsonl"
    file.write_bytes(text)
    with refused(where=file, found="no rows", expected="rollouts"):
        list(json_rows.read_json(json_rows.JsonRow, [file], LogOptions(), with_responses=False))
