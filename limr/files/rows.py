"""Rows of text files and Parquet: read one by one with the place each stands at, written whole or streamed."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from limr.errors import LimrError
from limr.files.atomic import whole_file

if TYPE_CHECKING:  # loaded where Parquet is met: it takes longer than all else that a command loads
    import polars as pl

STANDARD = "-"  # standard input or output, as JSON Lines

Row = dict[str, Any]


def read_rows(file: str) -> Iterator[tuple[str, Row]]:
    """Yield (place, row) for each row of ``file``: ``-``, ``*.jsonl``, ``*.json`` (a list), ``*.csv`` or ``*.parquet``.

    The place names file and line (for Parquet and a JSON list: row, from 0). Raises LimrError for what cannot be read,
    with its place.
    """
    if file == STANDARD:
        yield from _json_lines(sys.stdin.buffer, "standard input")
        return
    reader = _READERS.get(Path(file).suffix)
    if reader is None:
        raise LimrError(f"{file}: found the suffix {Path(file).suffix!r}, expected {' or '.join(_READERS)}, or - alone")
    try:
        yield from reader(file)
    except OSError as error:
        raise LimrError(f"{file}: cannot be read: {error.strerror or error}") from error


def count_rows(file: str) -> int | None:
    """About how many rows ``file`` has, for a progress bar; None where only reading it would tell."""
    match Path(file).suffix:
        case ".parquet":
            import polars as pl

            with suppress(OSError, pl.exceptions.PolarsError):  # which ``read_rows`` explains
                return pl.scan_parquet(file, hive_partitioning=False, glob=False).select(pl.len()).collect().item()
        case ".jsonl":
            with suppress(OSError), Path(file).open("rb") as stream:
                return sum(1 for _ in stream)
    return None


def write_rows(rows: Iterable[Row], file: str) -> None:
    """Write ``rows`` to ``file``: ``-`` (each line at once), ``*.jsonl`` or ``*.parquet`` (whole or not at all).

    Raises LimrError for a file that cannot be written (before the first row is asked for, where that can be known) and
    for rows that Parquet cannot hold; ``check_output`` is for the suffix.
    """
    try:
        if file == STANDARD:
            for row in rows:
                sys.stdout.write(_json_line(row))
            sys.stdout.flush()
        else:
            with whole_file(file) as temporary, temporary.open("w", encoding="ascii") as stream:
                if Path(file).suffix == ".jsonl":
                    stream.writelines(map(_json_line, rows))
                else:
                    _frame(rows, file).write_parquet(temporary)
    except BrokenPipeError:
        raise
    except OSError as error:
        name = "standard output" if file == STANDARD else file
        raise LimrError(f"{name}: cannot be written: {error.strerror or error}") from error


def check_output(file: str) -> None:
    """Raise LimrError, before any work is done, where ``write_rows`` could not write ``file``."""
    if file != STANDARD and Path(file).suffix not in (".jsonl", ".parquet"):
        raise LimrError(f"{file}: found the suffix {Path(file).suffix!r}, expected .jsonl or .parquet, or - alone")
    if Path(file).is_dir():
        raise LimrError(f"{file}: cannot be written: Is a directory")


def _frame(rows: Iterable[Row], file: str) -> "pl.DataFrame":
    import polars as pl

    try:
        return pl.DataFrame(list(rows), infer_schema_length=None)
    except (pl.exceptions.PolarsError, TypeError, UnicodeEncodeError) as error:  # columns of mixed types, say
        raise LimrError(f"{file}: Parquet cannot hold these rows ({error}); write *.jsonl") from error


def _json_line(row: Row) -> str:
    try:
        return json.dumps(row) + "\n"  # ASCII: whatever halves of characters a model wrote are escaped
    except TypeError as error:  # Parquet knows dates and bytes
        raise LimrError(f"JSON cannot hold this row ({error}): {str(row)[:80]}...; write *.parquet") from error


def _json_lines(stream: BinaryIO, name: str) -> Iterator[tuple[str, Row]]:
    for number, line in enumerate(stream, start=1):
        place = f"{name}: line {number}"
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except UnicodeDecodeError as error:
            raise LimrError(f"{place}: not UTF-8 (byte {error.start})") from error
        except json.JSONDecodeError as error:
            raise LimrError(
                f"{place}: not JSON ({error.msg}, after {error.pos} characters); expected one object a line"
            ) from error
        except RecursionError as error:
            raise LimrError(f"{place}: not JSON ({error}); expected one object a line") from error
        if not isinstance(row, dict):
            raise LimrError(f"{place}: found {type(row).__name__}, expected an object, {{...}}, a line")
        yield place, row


def _json_file(file: str) -> Iterator[tuple[str, Row]]:
    with Path(file).open("rb") as stream:
        yield from _json_lines(stream, file)


def _json_list(file: str) -> Iterator[tuple[str, Row]]:
    try:
        rows = json.loads(Path(file).read_bytes())
    except UnicodeDecodeError as error:
        raise LimrError(f"{file}: not UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise LimrError(
            f"{file}: line {error.lineno}: not JSON ({error.msg}); expected one list, [{{...}}, ...]"
        ) from error
    except RecursionError as error:
        raise LimrError(f"{file}: not JSON ({error}); expected one list, [{{...}}, ...]") from error
    if not isinstance(rows, list):
        raise LimrError(f"{file}: found {type(rows).__name__}, expected one list, [{{...}}, ...]")
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise LimrError(f"{file}: row {number}: found {type(row).__name__}, expected an object, {{...}}")
        yield f"{file}: row {number}", row


def _csv_file(file: str) -> Iterator[tuple[str, Row]]:
    csv.field_size_limit(sys.maxsize)
    with Path(file).open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream, restkey="", strict=True)
        try:
            for row in reader:
                place = f"{file}: line {reader.line_num}"
                if "" in row or None in row.values():
                    raise LimrError(f"{place}: the row has not as many fields as the header, {len(reader.fieldnames)}")
                yield place, row
        except UnicodeDecodeError as error:
            raise LimrError(f"{file}: after line {reader.line_num}: not UTF-8") from error
        except csv.Error as error:
            raise LimrError(f"{file}: line {reader.line_num}: not CSV ({error})") from error


def _parquet_file(file: str) -> Iterator[tuple[str, Row]]:
    import polars as pl

    try:
        frame = pl.read_parquet(file, hive_partitioning=False, glob=False)
    except pl.exceptions.PolarsError as error:
        raise LimrError(f"{file}: cannot be read as Parquet: {str(error).splitlines()[0]}") from error
    for number, row in enumerate(frame.iter_rows(named=True)):
        yield f"{file}: row {number}", row


_READERS: dict[str, Callable[[str], Iterator[tuple[str, Row]]]] = {
    ".jsonl": _json_file,
    ".json": _json_list,
    ".csv": _csv_file,
    ".parquet": _parquet_file,
}
