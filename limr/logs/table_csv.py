"""Rollouts of CSV files, line by line: a fault is named with its line."""

import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from limr.errors import LimrError
from limr.logs.json_parts import Rollouts, to_part
from limr.logs.json_rows import JsonRow, renamed
from limr.logs.log import LogOptions, Part

_ROWS_AT_A_TIME = 2**14


def read_csv(
    files: Sequence[Path], row: type[JsonRow], options: LogOptions, with_responses: bool
) -> Iterator[tuple[int, Part]]:
    """Read CSV files with a header, fields and keys as ``row`` has them.

    Raises LimrError naming file, line and column.
    """
    csv.field_size_limit(sys.maxsize)
    row = renamed(row, options.columns)
    for number, file in enumerate(files):
        previous = -1
        for lines, rollouts in _batches(file, row):
            part = to_part(rollouts, lines, row, lambda line, file=file: f"{file}: line {line}", with_responses)
            previous = number
            yield number, part
        if previous != number:
            raise LimrError(f"{file}: a header and no row; expected rollouts. Was it cut short?")


def _batches(file: Path, row: type[JsonRow]) -> Iterator[tuple[np.ndarray, Rollouts]]:
    """Lines (int64, from 1) and what stands in them; bytes that are no UTF-8 become half characters."""
    with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        reader = csv.reader(stream, strict=True)
        header = next(reader)
        keys = zip(row.__struct_fields__, row.__struct_encode_fields__, strict=True)
        places = {name: header.index(key) for name, key in keys if key in header}
        rows = _rows(reader, file, len(header))
        while batch := list(islice(rows, _ROWS_AT_A_TIME)):
            columns = {
                name: [
                    _value(fields[place], name, f"{file}: line {line}: column {header[place]!r}")
                    for line, fields in batch
                ]
                for name, place in places.items()
            }
            yield np.array([line for line, _ in batch], dtype=np.int64), Rollouts(**columns)


def _rows(reader: Any, file: Path, n_columns: int) -> Iterator[tuple[int, list[str]]]:
    try:
        for fields in reader:
            if not fields:  # an empty line
                continue
            if len(fields) != n_columns:
                raise LimrError(
                    f"{file}: line {reader.line_num}: found {len(fields)} fields, expected {n_columns} as in the header"
                )
            yield reader.line_num, fields
    except csv.Error as error:
        raise LimrError(f"{file}: line {reader.line_num}: not CSV ({error})") from error


def _share(text: str) -> float | None:
    words = {"": None, "true": 1.0, "false": 0.0}
    return words[text.lower()] if text.lower() in words else float(text)


def _whole(text: str) -> int | None:
    return int(text) if text else None


def _text(text: str) -> str | None:
    return text or None


_CONVERT: dict[str, tuple[Callable[[str], Any], str]] = {
    "reward": (float, "a number"),
    "step": (_whole, "a whole number"),
    "correct": (_share, "true, false or a share of 1"),
    "response": (str, "text"),
}


def _value(text: str, name: str, where: str) -> Any:
    convert, expected = _CONVERT.get(name, (_text, "text"))
    try:
        return convert(text)
    except ValueError as error:
        raise LimrError(f"{where}: found {text[:60]!r}, expected {expected}") from error
