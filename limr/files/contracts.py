"""The Parquet contracts between stages: read from ``schemas/``, checked whenever a file is written or read.

Each contract is a JSON schema of one row. Its ``key`` lists the columns that identify a row.
"""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl

from limr.errors import ContractError, counted, first_line, shown
from limr.files.atomic import whole_file
from limr.files.input_paths import refuse_special

UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
"""What Polars raises for a Parquet file that is truncated or damaged. A panic is not an ``Exception``."""

_DTYPES: dict[str, pl.DataType] = {
    "string": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
}


@cache
def contract(name: str) -> dict[str, Any]:
    """The JSON schema of one row of artifact ``name`` (``prompts``, ``rollouts``, ...)."""
    return json.loads(files("limr.files").joinpath("schemas", f"{name}.schema.json").read_text(encoding="utf-8"))


def columns(name: str) -> dict[str, pl.DataType]:
    """Column names and Polars types of artifact ``name``, in the order they are written."""
    return {column: _DTYPES[_types(rule)[0]] for column, rule in contract(name)["properties"].items()}


def write_parquet(frame: pl.DataFrame, path: str | Path, name: str) -> None:
    """Check ``frame`` against contract ``name`` and write it, whole or not at all (see ``limr.files.atomic``)."""
    checked = check(frame, name, where=str(path))
    with whole_file(path) as temporary:
        checked.write_parquet(temporary)


def read_parquet(path: str | Path, name: str) -> pl.DataFrame:
    """Read one Parquet file and check it against contract ``name``.

    Raises ContractError naming the file when it is missing, truncated or not Parquet, or breaks the contract.
    """
    path = Path(path)
    refuse_special(path)
    if not path.exists():
        raise ContractError("no such file", where=path, expected=contract(name)["title"])
    try:
        frame = pl.read_parquet(path, hive_partitioning=False, glob=False)
    except UNREADABLE as error:
        advice = "It is truncated, or not Parquet: delete it and run the stage that makes it again."
        raise unreadable(path, error, advice) from error
    return check(frame, name, where=str(path))


def unreadable(path: Path, error: BaseException, advice: str) -> ContractError:
    """The error for a Parquet file at which Polars raised one of ``UNREADABLE``."""
    what = f"cannot be read as Parquet ({path.stat().st_size:,} bytes; {first_line(error)})"
    return ContractError(what, where=path, advice=advice)


def check(frame: pl.DataFrame, name: str, where: str) -> pl.DataFrame:
    """Return ``frame`` with exactly the contract's columns, in order.

    Raises ContractError for the first column or row that breaks the contract; ``where`` is the file in its message.
    """
    schema = contract(name)
    expected = columns(name)
    missing = [column for column in expected if column not in frame.columns]
    if missing:
        raise ContractError(f"no column {missing[0]!r}", where=where, expected=", ".join(expected))
    extra = [column for column in frame.columns if column not in expected]
    if extra:
        raise ContractError(f"unknown column {extra[0]!r}", where=where, expected=", ".join(expected))
    frame = frame.select(list(expected))
    for column, rule in schema["properties"].items():
        frame = frame.with_columns(_as_type(frame[column], expected[column], where))
        _check_values(frame[column], rule, where)
    _check_key(frame, schema["key"], where)
    return frame


def _types(rule: dict[str, Any]) -> list[str]:
    declared = rule["type"]
    return declared if isinstance(declared, list) else [declared]


def _as_type(series: pl.Series, dtype: pl.DataType, where: str) -> pl.Series:
    if series.dtype == dtype:
        return series
    same_kind = (series.dtype.is_integer() and dtype.is_numeric()) or (series.dtype.is_float() and dtype.is_float())
    if not same_kind and series.dtype != pl.Null:
        raise ContractError(where=(where, _column(series.name)), found=str(series.dtype), expected=str(dtype))
    cast = series.cast(dtype, strict=False)
    # null where a number does not fit into Int64; rounded where it is a whole number beyond 2**53 and becomes Float64
    changed = cast.is_null() != series.is_null()
    if series.dtype.is_integer() and dtype.is_float():
        changed |= cast.cast(series.dtype, strict=False).ne_missing(series)
    _refuse(series, changed, f"{dtype}, which cannot hold it", where)
    return cast


def _check_values(series: pl.Series, rule: dict[str, Any], where: str) -> None:
    if "null" not in _types(rule):
        _refuse(series, series.is_null(), "a value", where)
    if series.dtype.is_float():
        _refuse(series, ~series.is_finite(), "a finite number", where)
    if "minimum" in rule:
        _refuse(series, series < rule["minimum"], f"at least {rule['minimum']}", where)
    if "maximum" in rule:
        _refuse(series, series > rule["maximum"], f"at most {rule['maximum']}", where)


def _refuse(series: pl.Series, bad: pl.Series, expected: str, where: str) -> None:
    if bad.any():
        row = bad.arg_true()[0]
        raise ContractError(
            where=(where, f"row {row}", _column(series.name)),
            found=shown(series[row]),
            expected=f"{expected} ({counted(bad.sum(), 'such row')})",
        )


def is_ascending(frame: pl.DataFrame, key: list[str]) -> bool:
    """Whether every key is greater than the key of the row before: the rows are sorted and no key is duplicate.

    >>> is_ascending(pl.DataFrame({"a": [1, 1, 2], "b": [0, 3, 0]}), ["a", "b"])
    True
    """
    greater = pl.Series([False])
    for column in reversed(key):  # greater: compares the key columns from this one on with those of the row before
        before, after = frame[column][:-1], frame[column][1:]
        greater = (after > before) | ((after == before) & greater)
    return len(frame) < 2 or greater.fill_null(value=False).all()


def _check_key(frame: pl.DataFrame, key: list[str], where: str) -> None:
    if is_ascending(frame, key):  # most files are sorted; the search for duplicates below takes ten times as long
        return
    duplicates = frame.select(key).is_duplicated()
    if duplicates.any():
        row = duplicates.arg_true()[0]
        raise ContractError(
            f"the key {frame.select(key).row(row, named=True)} occurs more than once", where=(where, f"row {row}")
        )


def _column(name: str) -> str:
    return f"column {name!r}"
