"""Reads rollouts from CSV files, line by line, so that an error can name the line."""

import csv
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from limr.errors import LimrError, counted, shown
from limr.logs.format import find_columns
from limr.logs.log import RESTORE, Part
from limr.logs.normalise import Rollouts, RowError, to_part

_ROWS_AT_A_TIME = 2**14


def read_csv(files: Sequence[Path], chosen: Mapping[str, str], with_responses: bool) -> Iterator[tuple[int, Part]]:
    """Read CSV files with a header; ``chosen`` holds the user's names of columns.

    Raises LimrError with file, line and column.
    """
    csv.field_size_limit(sys.maxsize)
    for number, file in enumerate(files):
        try:
            for part in _parts(file, chosen, with_responses):
                yield number, part
        except LimrError as error:
            raise error.inside(file) from None


def _parts(file: Path, chosen: Mapping[str, str], with_responses: bool) -> Iterator[Part]:
    # bytes that are not UTF-8 become lone surrogates, which only matter in a prompt
    with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        reader = csv.reader(stream, strict=True)
        header = next(reader)
        columns = find_columns(header, chosen)
        rows = _rows(reader, len(header))
        batch = list(islice(rows, _ROWS_AT_A_TIME))
        if not batch:
            raise LimrError(found="a header without rows", expected="rollouts", advice=RESTORE)
        while batch:
            lines = np.array([line for line, _ in batch], dtype=np.int64)
            try:
                values = {name: _values(batch, name, header.index(column)) for name, column in columns.items()}
                yield to_part(Rollouts(**values), lines, with_responses)
            except RowError as error:
                column = columns.get(error.column, error.column)
                raise error.error.inside(f"line {lines[error.row]}", f"column {column!r}") from error
            batch = list(islice(rows, _ROWS_AT_A_TIME))


def _rows(reader: Any, n_columns: int) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line on which it ends."""
    try:
        for fields in reader:
            if not fields:  # an empty line
                continue
            if len(fields) != n_columns:
                found, expected = counted(len(fields), "field"), f"{n_columns:,}, as in the header"
                raise LimrError(where=f"line {reader.line_num}", found=found, expected=expected)
            yield reader.line_num, fields
    except csv.Error as error:
        raise LimrError(f"not CSV ({error})", where=f"line {reader.line_num}") from error


def _digits(text: str) -> str:
    """``text``. Raises ValueError for 1_0 and for digits of other scripts, which only Python takes for numbers."""
    if "_" in text or not text.isascii():
        raise ValueError(text)
    return text


def _number(text: str) -> float:
    return float(_digits(text))


def _share(text: str) -> float | None:
    words = {"": None, "true": 1.0, "false": 0.0}
    return words[text.lower()] if text.lower() in words else _number(text)


def _whole_number(text: str) -> int | None:
    return int(_digits(text)) if text else None


def _text(text: str) -> str | None:
    return text or None


_CONVERT: dict[str, tuple[Callable[[str], Any], str]] = {
    "reward": (_number, "a number"),
    "step": (_whole_number, "a whole number"),
    "correct": (_share, "true, false or a share of 1"),
    "response": (str, "text"),
}


def _values(batch: list[tuple[int, list[str]]], name: str, place: int) -> list[Any]:
    """Column number ``place`` of the rows, from text to the values that ``Rollouts`` takes."""
    convert, expected = _CONVERT.get(name, (_text, "text"))
    values = []
    for row, (_, fields) in enumerate(batch):
        try:
            values.append(convert(fields[place]))
        except ValueError as error:
            raise RowError(row, name, found=shown(fields[place]), expected=expected) from error
    return values
