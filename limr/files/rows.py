"""Reads rows of text files and Parquet one by one, with their places; writes them to a file or to standard output."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from limr.errors import LimrError, counted, one_of, shown
from limr.files.atomic import whole_file
from limr.files.input_paths import refuse_special
from limr.files.strict_json import parse_json

STANDARD = "-"  # standard input or output, as JSON Lines

Row = dict[str, Any]

_ONE_OBJECT_PER_LINE = "one object, {...}, per line"
_ONE_LIST = "one list of objects, [{...}, ...]"


def read_rows(file: str) -> Iterator[tuple[str, Row]]:
    """Yield (place, row) for each row of ``file``: ``-``, ``*.jsonl``, ``*.json`` (a list), ``*.csv`` or ``*.parquet``.

    The place is text for an error's ``where``: the file and the line. Rows of Parquet and of a JSON list have no lines;
    they are counted from 0. Raises LimrError, with its place, for a file or row that cannot be read.
    """
    if file == STANDARD:
        yield from _json_lines(sys.stdin.buffer, "standard input")
        return
    refuse_special(file)
    reader = _READERS.get(Path(file).suffix)
    if reader is None:
        found = "a folder" if Path(file).is_dir() else f"the suffix {Path(file).suffix!r}"
        expected = f"a file that ends with {one_of(_READERS)}, or {STANDARD} alone"
        raise LimrError(where=file or "an empty name", found=found, expected=expected)
    try:
        yield from reader(file)
    except OSError as error:
        raise LimrError(f"cannot be read: {error.strerror or error}", where=file) from error


def count_rows(file: str) -> int | None:
    """About how many rows ``file`` has, for a progress bar; None if it can only be counted by reading the file."""
    match Path(file).suffix:
        case ".parquet":
            import polars as pl

            # ``read_rows`` reports these
            with suppress(OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
                return pl.scan_parquet(file, hive_partitioning=False, glob=False).select(pl.len()).collect().item()
        case ".jsonl":
            with suppress(OSError), Path(file).open("rb") as stream:
                return sum(1 for _ in stream)
    return None


def write_rows(rows: Iterable[Row], file: str) -> None:
    """Write ``rows`` to ``file``: ``-`` (line by line), ``*.jsonl`` or ``*.parquet`` (whole or not at all).

    Raises LimrError for a file that cannot be written, if possible before the first row is computed, and for rows that
    Parquet cannot hold. The caller checks the suffix.
    """
    try:
        if file == STANDARD:
            for row in rows:
                sys.stdout.write(_json_line(row, "standard output"))
            sys.stdout.flush()
        else:
            with whole_file(file) as temporary, temporary.open("w", encoding="ascii") as stream:
                if Path(file).suffix == ".jsonl":
                    stream.writelines(_json_line(row, file) for row in rows)
                else:
                    from limr.files.parquet_rows import write_parquet_rows

                    write_parquet_rows(list(rows), temporary, file)
    except BrokenPipeError:
        raise
    except OSError as error:
        name = "standard output" if file == STANDARD else file
        raise LimrError(f"cannot be written: {error.strerror or error}", where=name) from error


def _json_line(row: Row, file: str) -> str:
    try:
        return json.dumps(row) + "\n"  # in ASCII: lone surrogates, which models may write, are escaped
    except TypeError as error:  # Parquet has dates and bytes
        name = next(name for name, value in row.items() if not _fits_json(value))
        raise LimrError(
            "JSON cannot hold a value",
            where=(file, f"column {name!r}"),
            found=shown(row[name]),
            advice="Write *.parquet instead.",
        ) from error


def _fits_json(value: Any) -> bool:
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True


def _json_file(file: str) -> Iterator[tuple[str, Row]]:
    with Path(file).open("rb") as stream:
        yield from _json_lines(stream, file)


def _json_lines(stream: BinaryIO, file: str) -> Iterator[tuple[str, Row]]:
    for number, line in enumerate(stream, start=1):
        if line.strip():
            row = parse_json(line, file, _ONE_OBJECT_PER_LINE, number)
            if not isinstance(row, dict):
                raise LimrError(where=(file, f"line {number}"), found=shown(row), expected=_ONE_OBJECT_PER_LINE)
            yield f"{file}: line {number}", row


def _json_list(file: str) -> Iterator[tuple[str, Row]]:
    rows = parse_json(Path(file).read_bytes(), file, _ONE_LIST)
    if not isinstance(rows, list):
        raise LimrError(where=file, found=shown(rows), expected=_ONE_LIST)
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise LimrError(where=(file, f"row {number}"), found=shown(row), expected="an object, {...}")
        yield f"{file}: row {number}", row


def _csv_file(file: str) -> Iterator[tuple[str, Row]]:
    csv.field_size_limit(sys.maxsize)
    with Path(file).open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream, strict=True)
        try:
            names = reader.fieldnames or []
            twice = [name for number, name in enumerate(names) if name in names[:number]]
            if twice:
                raise LimrError("two columns have the same name", where=(file, "line 1"), found=shown(twice[0]))
            for row in reader:
                if None in row or None in row.values():  # more fields than the header, or fewer
                    raise LimrError(
                        "the row does not have as many fields as the header",
                        where=(file, f"line {reader.line_num}"),
                        expected=counted(len(names), "field"),
                    )
                yield f"{file}: line {reader.line_num}", row
        except UnicodeDecodeError as error:
            raise LimrError("not UTF-8", where=(file, f"after line {reader.line_num}")) from error
        except csv.Error as error:
            line = reader.reader.line_num  # ``reader`` itself counts a line only when its row is complete
            raise LimrError(f"not CSV ({error})", where=(file, f"line {line}")) from error


def _parquet_file(file: str) -> Iterator[tuple[str, Row]]:
    from limr.files.parquet_rows import read_parquet_rows

    for number, row in enumerate(read_parquet_rows(file)):
        yield f"{file}: row {number}", row


_READERS: dict[str, Callable[[str], Iterator[tuple[str, Row]]]] = {
    ".jsonl": _json_file,
    ".json": _json_list,
    ".csv": _csv_file,
    ".parquet": _parquet_file,
}
