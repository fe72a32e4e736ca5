"""Errors of readers name what is wrong, and what nobody needs does no harm."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from limr.errors import LimrError
from limr.logs.parallel import _SERVE
from limr.logs.whole import read_log

ROWS = [f"{step},What is {step}+1?,{reward}," for step in range(3) for reward in (0.0, 1.0)]


def csv_of(folder: Path, *rows: bytes) -> Path:
    file = folder / "log.csv"
    file.write_bytes(b"\n".join([b"step,prompt,reward,response", *map(str.encode, ROWS), *rows, b""]))
    return file


def test_a_response_in_a_csv_file_need_not_be_utf_8(tmp_path: Path) -> None:
    assert read_log(csv_of(tmp_path, b"3,What is 3+1?,1.0,caf\xe9")).reward.tolist() == [0, 1] * 3 + [1]


def test_a_prompt_in_a_csv_file_that_is_not_utf_8_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(LimrError, match=r"log\.csv: line 8: key 'prompt': .*UTF-8"):
        read_log(csv_of(tmp_path, b"3,What is caf\xe9?,1.0,"))


def test_the_file_that_does_not_say_its_step_is_named(tmp_path: Path) -> None:
    rows = '[{"prompt": "1+1?", "response": "2", "reward": 1.0, "response_length": 1}]'
    for name in ("copy_of_step_1", "step_1", "step_2"):
        (tmp_path / f"{name}.json").write_text(rows)
    with pytest.raises(LimrError, match=r"copy_of_step_1\.json: neither its rows nor its name say the step"):
        read_log(tmp_path)


def test_several_reward_columns_are_answered_with_what_to_write(tmp_path: Path) -> None:
    row = {"step": 1, "prompt": "1+1?", "completion": "2", "accuracy": 1.0, "format": 0.5, "advantage": 0.0}
    pl.DataFrame([row]).write_parquet(tmp_path / "completions_00001.parquet")
    with pytest.raises(LimrError, match=r"--column reward=accuracy\+format"):
        read_log(tmp_path)


def test_a_reading_process_whose_caller_was_killed_ends_without_a_word() -> None:
    unread, results = os.pipe()
    os.close(unread)
    said = subprocess.run(
        [sys.executable, "-c", _SERVE],
        input=pickle.dumps(len) + pickle.dumps("an argument"),
        stdout=results,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(results)
    assert said.stderr == b""
