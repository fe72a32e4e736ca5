"""Rows as dictionaries, from and to Parquet. A value that would change on the way is an error.

``rows`` imports this module only where Parquet is used: Polars takes longer than all other imports of a command.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from limr.errors import LimrError, first_line, shown

_NO_PYTHON_VALUE = (ValueError, OverflowError, pl.exceptions.PolarsError, pl.exceptions.PanicException)
_WRITE_JSON = "Write *.jsonl instead."


def read_parquet_rows(file: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of ``file``.

    Raises LimrError for a file that is not Parquet, and for a column that Python's types cannot hold.
    """
    try:
        frame = pl.read_parquet(file, hive_partitioning=False, glob=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise LimrError(f"cannot be read as Parquet: {first_line(error)}", where=file) from error
    for column in frame.iter_columns():
        _refuse_nanoseconds(column, file)
    try:
        yield from frame.iter_rows(named=True)
    except _NO_PYTHON_VALUE as error:  # a year after 9999, for example
        column = next(column for column in frame.iter_columns() if not _has_python_values(column))
        what = f"its values cannot be read ({first_line(error)})"
        raise LimrError(what, where=(file, f"column {column.name!r}"), found=str(column.dtype)) from error


def write_parquet_rows(rows: Sequence[dict[str, Any]], path: Path, file: str) -> None:
    """Write ``rows`` to ``path``. Raises LimrError, naming ``file``, if a column cannot hold its values unchanged."""
    try:
        frame = pl.DataFrame(rows, infer_schema_length=None)
        # Polars writes whole numbers beyond 64 bits in a form that no other reader knows
        frame = frame.with_columns(pl.selectors.by_dtype(pl.Int128).cast(pl.UInt64))
        if any("Int128" in str(dtype) for dtype in frame.dtypes):
            raise OverflowError("a whole number has more than 64 bits")
        frame.write_parquet(path)
    except (pl.exceptions.PolarsError, ValueError, TypeError, OverflowError) as error:  # columns of mixed types
        raise LimrError(
            f"Parquet cannot hold these rows ({first_line(error)})", where=file, advice=_WRITE_JSON
        ) from error
    for number, (row, held) in enumerate(zip(rows, frame.iter_rows(named=True), strict=True)):
        for name, value in held.items():
            if not _same(row.get(name), value):
                raise LimrError(
                    "Parquet cannot hold these rows: it would change a value, because its column holds other types too",
                    where=(file, f"row {number}", f"column {name!r}"),
                    found=shown(row.get(name)),
                    advice=_WRITE_JSON,
                )


def _same(value: Any, held: Any) -> bool:
    """Whether a Parquet column holds ``value`` unchanged. A key that a row lacks is null in Parquet."""
    if isinstance(held, dict):
        return isinstance(value, dict) and all(_same(value.get(key), part) for key, part in held.items())
    if isinstance(held, list):
        return isinstance(value, list) and len(value) == len(held) and all(map(_same, value, held))
    both_not_a_number = value != value and held != held
    return both_not_a_number or (value == held and isinstance(value, bool) == isinstance(held, bool))


def _refuse_nanoseconds(column: pl.Series, file: str) -> None:
    """Raise LimrError for times with parts of a microsecond, which Python's types would cut off."""
    if isinstance(column.dtype, pl.Datetime | pl.Duration | pl.Time):
        in_nanoseconds = isinstance(column.dtype, pl.Time) or column.dtype.time_unit == "ns"
        lossy = in_nanoseconds and bool((column.to_physical() % 1000 != 0).any())
    else:
        lossy = "time_unit='ns'" in str(column.dtype)  # inside lists and objects
    if lossy:
        raise LimrError(
            where=(file, f"column {column.name!r}"),
            found=f"{column.dtype} with parts of a microsecond",
            expected="whole microseconds",
            advice="Round the column, or leave it out.",
        )


def _has_python_values(column: pl.Series) -> bool:
    try:
        column.to_list()
    except _NO_PYTHON_VALUE:
        return False
    return True
