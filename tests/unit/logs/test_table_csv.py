"""Rollouts from CSV files: an error names the line, and bytes that are not UTF-8 only matter in a prompt."""

from pathlib import Path

import pytest
from refusals import refused

from limr.logs.whole import read_log

ROWS = [f"{step},What is {step}+1?,{reward}," for step in range(3) for reward in (0.0, 1.0)]


def csv_of(folder: Path, *rows: bytes) -> Path:
    file = folder / "log.csv"
    file.write_bytes(b"\n".join([b"step,prompt,reward,response", *map(str.encode, ROWS), *rows, b""]))
    return file


def test_a_response_that_is_not_utf_8_does_no_harm(tmp_path: Path) -> None:
    assert read_log(csv_of(tmp_path, b"3,What is 3+1?,1.0,caf\xe9")).reward.tolist() == [0, 1] * 3 + [1]


def test_a_prompt_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    file = csv_of(tmp_path, b"3,What is caf\xe9?,1.0,")
    with refused(where=(file, "line 8", "'prompt'"), found="What is caf", expected="UTF-8"):
        read_log(file)


@pytest.mark.parametrize(
    "row, column, found, expected",
    [
        (b"x,What is 3+1?,1.0,", "step", '"x"', "a whole number"),
        (b"3,What is 3+1?,good,", "reward", '"good"', "a number"),
        (b"3,What is 3+1?,,", "reward", '""', "a number"),
        (b"3,What is 3+1?,nan,", "reward", "NaN", "a finite number"),
        (b"3,What is 3+1?,1e999,", "reward", "Infinity", "a finite number"),
        (b"9223372036854775808,What is 3+1?,1.0,", "step", "9223372036854775808", "a training step"),
        (b",What is 3+1?,1.0,", "step", "nothing", "a training step, as in other rows"),
    ],
)
def test_an_invalid_value_is_refused_with_its_line_and_column(
    tmp_path: Path, row: bytes, column: str, found: str, expected: str
) -> None:
    with refused(where=("log.csv", "line 8", f"column {column!r}"), found=found, expected=expected):
        read_log(csv_of(tmp_path, row))


def test_a_line_with_fewer_fields_than_the_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rollouts.csv").write_text("prompt,reward\na,1\nb\n")
    with refused(where=("rollouts.csv", "line 3"), found="1 field", expected="2"):
        read_log(tmp_path)


def test_a_header_without_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rollouts.csv").write_text("prompt,reward\n")
    with refused(where="rollouts.csv", found="a header without rows"):
        read_log(tmp_path)
