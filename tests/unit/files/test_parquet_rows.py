"""Rows from and to Parquet keep every value; a column that would change a value is refused with name and type."""

import datetime
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet
from refusals import refused

from limr.files.parquet_rows import read_parquet_rows, write_parquet_rows


def written(tmp_path, *values):
    """The values of a column after writing it, as pyarrow reads them."""
    file = tmp_path / "out.parquet"
    write_parquet_rows([{"x": value} for value in values], file, "out.parquet")
    return parquet.read_table(file)["x"].to_pylist()


def read(tmp_path, column):
    """The values of a column that pyarrow wrote."""
    file = tmp_path / "in.parquet"
    parquet.write_table(pa.table({"x": column}), file)
    return [row["x"] for row in read_parquet_rows(str(file))]


@pytest.mark.parametrize(
    "values",
    [
        (2**53 + 1, -(2**63)),
        (2**64 - 1, 2**63),
        (1, 0.5, None),
        (True, None),
        ("é\0", ""),
        ([1, None], []),
        ({"a": 1}, None),
        ({"a": 1}, {"a": None}),
        (b"\xff",),
        (Decimal("1.10"),),
        (datetime.datetime(2025, 1, 1, microsecond=1),),
        ([["a"], []],),
    ],
)
def test_values_are_written_unchanged(tmp_path, values):
    found = written(tmp_path, *values)
    assert found == list(values)
    assert [isinstance(value, bool) for value in found] == [isinstance(value, bool) for value in values]


def test_nan_stays_nan_and_a_missing_key_is_null(tmp_path):
    write_parquet_rows([{"x": float("nan")}, {"y": 1}], tmp_path / "out.parquet", "out.parquet")
    first, second = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert first["x"] != first["x"] and (first["y"], second) == (None, {"x": None, "y": 1})


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ((2**53 + 1, 0.5), {"where": ("row 0", "'x'"), "what": "would change a value", "found": "9007199254740993"}),
        (({"a": 2**53 + 1}, {"a": 0.5}), {"where": "row 0", "what": "would change a value"}),
        (("a", 1), {"where": "row 1", "what": "would change a value", "found": "1"}),
        ((1, True), {"where": "row 1", "what": "would change a value", "found": "true"}),
        ((2**64,), {"what": "Parquet cannot hold these rows"}),
        (([2**64],), {"what": "Parquet cannot hold these rows"}),
        ((10**400,), {"what": "Parquet cannot hold these rows"}),
        (({},), {"what": "Parquet cannot hold these rows"}),
        (("\ud800",), {"what": "Parquet cannot hold these rows"}),
        (([1, "a"],), {"what": "Parquet cannot hold these rows"}),
    ],
)
def test_values_that_a_column_cannot_hold_unchanged_are_refused(tmp_path, values, parts):
    with refused(advice="Write *.jsonl", **parts) as raised:
        written(tmp_path, *values)
    assert raised.value.where[0] == "out.parquet"


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
        (pa.array([2**64 - 1], pa.uint64()), [2**64 - 1]),
        (pa.nulls(1), [None]),
        (pa.array([Decimal("1.10")]), [Decimal("1.10")]),
        (pa.array([1000], pa.timestamp("ns")), [datetime.datetime(1970, 1, 1, microsecond=1)]),
        (pa.array([{"a": [1]}]), [{"a": [1]}]),
    ],
)
def test_columns_of_odd_types_are_read(tmp_path, column, expected):
    assert read(tmp_path, column) == expected


@pytest.mark.parametrize(
    ("column", "found"),
    [
        (pa.array([1], pa.timestamp("ns")), "Datetime(time_unit='ns'"),
        (pa.array([1], pa.time64("ns")), "Time"),
        (pa.array([1], pa.duration("ns")), "Duration(time_unit='ns')"),
        (pa.array([[1]], pa.list_(pa.timestamp("ns"))), "List(Datetime"),
        (pa.array([2**62], pa.timestamp("us")), "Datetime"),
        (pa.array([2**30], pa.date32()), "Date"),
    ],
)
def test_a_column_that_python_cannot_hold_is_refused_with_its_name_and_type(tmp_path, column, found):
    with refused(where=(tmp_path / "in.parquet", "column 'x'"), found=found):
        read(tmp_path, column)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([Decimal("1." + "1" * 60)], pa.decimal256(70, 60)),
        pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff"]).buffers()),
    ],
)
def test_a_file_that_polars_cannot_read_is_refused(tmp_path, column):
    with refused(where=tmp_path / "in.parquet"):
        read(tmp_path, column)


def test_two_columns_of_one_name_are_refused(tmp_path):
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"])
    parquet.write_table(table, tmp_path / "in.parquet")
    with refused(where=tmp_path / "in.parquet", what="cannot be read as Parquet"):
        list(read_parquet_rows(str(tmp_path / "in.parquet")))


def test_categories_are_read_as_text(tmp_path):
    frame = pl.DataFrame({"x": pl.Series(["a"], dtype=pl.Categorical), "y": pl.Series(["b"], dtype=pl.Enum(["b"]))})
    frame.write_parquet(tmp_path / "in.parquet")
    assert list(read_parquet_rows(str(tmp_path / "in.parquet"))) == [{"x": "a", "y": "b"}]
