"""Rows are read with their places, and rows that cannot be read or written are refused."""

import datetime
import io
import json

import polars as pl
import pytest
from refusals import refused

from limr.files.rows import read_rows, write_rows

ROWS = [{"a": "1", "b": "é"}, {"a": "2", "b": 'x, "y"\nz'}]


def places_and_rows(path):
    return list(read_rows(str(path)))


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("rows.jsonl", ["line 1", "line 2"]),
        ("rows.json", ["row 0", "row 1"]),
        ("rows.csv", ["line 2", "line 4"]),
        ("rows.parquet", ["row 0", "row 1"]),
    ],
)
def test_every_format_gives_the_same_rows_each_with_its_place(tmp_path, name, places):
    path = tmp_path / name
    match path.suffix:
        case ".json":
            path.write_text(json.dumps(ROWS))
        case ".csv":
            pl.DataFrame(ROWS).write_csv(path)
        case _:
            write_rows(ROWS, str(path))
    assert places_and_rows(path) == [(f"{path}: {place}", row) for place, row in zip(places, ROWS, strict=True)]


def test_a_dash_is_standard_input_and_standard_output(monkeypatch, capsys):
    write_rows(ROWS, "-")
    printed = capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(printed.encode())))
    assert list(read_rows("-")) == [("standard input: line 1", ROWS[0]), ("standard input: line 2", ROWS[1])]


def test_blank_lines_are_skipped_and_counted(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('\n{"a": 1}\n  \n{"a": 2}\n')
    assert [place for place, _ in places_and_rows(path)] == [f"{path}: line 2", f"{path}: line 4"]


@pytest.mark.parametrize(
    ("name", "content", "parts"),
    [
        ("rows.jsonl", b'{"a": 1}\n[1, 2]\n', {"where": "line 2", "found": "[1, 2]", "expected": "one object"}),
        ("rows.jsonl", b'{"a": 1}\n{"a" 2}\n', {"where": "line 2", "what": "not JSON (Expecting ':' delimiter"}),
        ("rows.jsonl", b'{"a": 1}\n{"a": "\xff"}\n', {"where": "line 2", "what": "not UTF-8 (byte 7)"}),
        ("rows.jsonl", b"[" * 100_000, {"where": "line 1", "what": "nested too deeply", "expected": "one object"}),
        ("rows.json", b'{"a": 1}', {"found": '{"a": 1}', "expected": "one list of objects"}),
        ("rows.json", b'[{"a": 1}, 2]', {"where": "row 1", "found": "2", "expected": "an object"}),
        ("rows.json", b'[{"a": 1},\n{"a" 2}]', {"where": "line 2", "what": "not JSON", "expected": "one list"}),
        ("rows.json", b'["\xff"]', {"what": "not UTF-8 (byte 2)"}),
        ("rows.json", b"[" * 100_000, {"what": "nested too deeply", "expected": "one list"}),
        ("rows.csv", b"a,b\n1,2\n1,2,3\n", {"where": "line 3", "what": "as many fields", "expected": "2 fields"}),
        ("rows.csv", b"a,b\n1\n", {"where": "line 2", "what": "as many fields", "expected": "2 fields"}),
        ("rows.csv", b"a,b,a\n1,2,3\n", {"where": "line 1", "what": "two columns have the same name", "found": '"a"'}),
        ("rows.csv", b'a,b\n1,"2\n', {"where": "line 2", "what": "not CSV"}),
        ("rows.csv", b"a,b\n1,\xff\n", {"what": "not UTF-8"}),
        ("rows.parquet", b"PAR1", {"what": "cannot be read as Parquet"}),
        ("rows.txt", b"", {"found": "the suffix '.txt'", "expected": ".jsonl, .json, .csv, .parquet, or - alone"}),
    ],
)
def test_an_unreadable_file_or_row_is_refused_with_its_place(tmp_path, name, content, parts):
    path = tmp_path / name
    path.write_bytes(content)
    where = (path, parts["where"]) if "where" in parts else path
    with refused(**parts | {"where": where}):
        places_and_rows(path)


def test_a_folder_is_refused_as_a_folder(tmp_path):
    with refused(where=tmp_path, found="a folder", expected="a file that ends with one of .jsonl, .json, .csv"):
        places_and_rows(tmp_path)


def test_a_missing_file_is_refused_with_its_name(tmp_path):
    with refused(where=tmp_path / "none.csv", what="cannot be read: No such file"):
        places_and_rows(tmp_path / "none.csv")


def test_rows_that_a_format_cannot_hold_are_refused_and_the_advice_names_one_that_can(tmp_path):
    mixed = [{"a": "text"}, {"a": {"b": 2}}]
    with refused(where=tmp_path / "rows.parquet", what="Parquet cannot hold these rows", advice="Write *.jsonl"):
        write_rows(mixed, str(tmp_path / "rows.parquet"))
    write_rows(mixed, str(tmp_path / "rows.jsonl"))
    dated = [{"a": datetime.date(2025, 1, 1)}]
    with refused(where=("rows.jsonl", "column 'a'"), found="date 2025-01-01", advice="Write *.parquet"):
        write_rows(dated, str(tmp_path / "rows.jsonl"))
    write_rows(dated, str(tmp_path / "dated.parquet"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dated.parquet", "rows.jsonl"]


def test_a_csv_column_without_a_name_is_read_as_pandas_writes_its_index(tmp_path):
    (tmp_path / "rows.csv").write_text(",a\r\n0,9007199254740993\r\n\r\n")
    assert [row for _, row in places_and_rows(tmp_path / "rows.csv")] == [{"": "0", "a": "9007199254740993"}]


def test_rows_of_different_keys_are_read_and_written_as_they_are(tmp_path):
    rows = [{"a": 1}, {"b": float("inf"), "c": "\ud83d\0"}, {"a": 10**30}]
    write_rows(rows, str(tmp_path / "rows.jsonl"))
    assert [row for _, row in places_and_rows(tmp_path / "rows.jsonl")] == rows
