"""Reads rollouts from Parquet files, a batch of rows at a time: a file may hold more than fits in memory.

Why one call of a library is not enough: a log repeats each prompt for every sample of every epoch. So texts are read as
the dictionaries that Parquet stores, and each distinct prompt becomes a Python string once per batch, not once per row.
``tests/benchmarks/benchmark_readers.py`` measures this project's readers at the size of the paper's run.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from limr.errors import LimrError, first_line
from limr.logs.format import find_columns
from limr.logs.log import RESTORE, Part
from limr.logs.normalise import Encoded, Rollouts, RowError, to_part

if TYPE_CHECKING:
    import pyarrow

_ROWS_AT_A_TIME = 2**17
_ROWS_WITH_RESPONSES = 2**12  # a response is a few kilobytes
_TEXTS = ("prompt", "prompt_id", "answer")
_NUMBERS = ("step", "reward", "correct")


def read_parquet(files: Sequence[Path], chosen: Mapping[str, str], with_responses: bool) -> Iterator[tuple[int, Part]]:
    """Read Parquet files; ``chosen`` holds the user's names of columns.

    Raises LimrError with file, row (from 0) and column.
    """
    for number, file in enumerate(files):
        with reading(file):
            for part in _parts(file, chosen, with_responses):
                yield number, part


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Add ``file`` to the errors that reading it raises."""
    import pyarrow

    try:
        yield
    except LimrError as error:
        raise error.inside(file) from None
    except (pyarrow.ArrowException, OSError) as error:
        reason = first_line(error)
        raise LimrError(f"cannot be read as Parquet ({reason})", where=file, advice=RESTORE) from error


def _parts(file: Path, chosen: Mapping[str, str], with_responses: bool) -> Iterator[Part]:
    from pyarrow import parquet

    schema = parquet.read_schema(file)
    columns = find_columns(schema.names, chosen)
    # ``read_dictionary`` keeps the dictionaries of the file: without it, Arrow writes the text out for each row
    dictionaries = [columns[name] for name in _TEXTS if name in columns and _is_text(schema.field(columns[name]).type)]
    wanted = [column for name, column in columns.items() if with_responses or name != "response"]
    size = _ROWS_WITH_RESPONSES if with_responses else _ROWS_AT_A_TIME
    start = 0
    with parquet.ParquetFile(file, read_dictionary=dictionaries) as stream:
        if stream.metadata.num_rows == 0:
            raise LimrError(found="no rows", expected="rollouts")
        for batch in stream.iter_batches(size, columns=wanted):
            yield batch_to_part(Rollouts(**columns_of(batch, columns, with_responses)), start, columns, with_responses)
            start += len(batch)


def batch_to_part(rollouts: Rollouts, start: int, columns: Mapping[str, str], with_responses: bool) -> Part:
    """The part of a batch that begins at row ``start``; raises LimrError with row and column."""
    try:
        return to_part(rollouts, np.arange(start, start + len(rollouts.reward)), with_responses)
    except RowError as error:
        column = columns.get(error.column, error.column)
        raise error.error.inside(f"row {start + error.row}", f"column {column!r}") from error


def columns_of(batch: "pyarrow.RecordBatch", columns: Mapping[str, str], with_responses: bool) -> dict[str, Any]:
    """The columns of a batch as ``Rollouts`` takes them; raises LimrError for a column that should hold numbers."""
    found: dict[str, Any] = {}
    for name, column in columns.items():
        if name in _NUMBERS:
            found[name] = numbers(batch, column, or_truth=name == "correct")
        elif name in _TEXTS:
            found[name] = _encoded(batch.column(column))
        elif with_responses:
            found[name] = texts(batch.column(column))
    return found


def numbers(batch: "pyarrow.RecordBatch", column: str, or_truth: bool = False) -> np.ndarray:
    """A column of numbers: whole numbers as they are if none is missing, else float64 with NaN for null.

    ``or_truth``: true and false count as 1 and 0.
    """
    from pyarrow import float64, types

    values = batch.column(column)
    is_whole = types.is_integer(values.type)
    is_number = is_whole or types.is_floating(values.type) or types.is_null(values.type)
    if not is_number and not (or_truth and types.is_boolean(values.type)):
        raise LimrError(where=f"column {column!r}", found=str(values.type), expected="numbers")
    if is_whole and values.null_count == 0:
        return values.to_numpy(zero_copy_only=False)
    return values.cast(float64()).to_numpy(zero_copy_only=False)


def texts(values: "pyarrow.Array") -> list[Any]:
    """A column as Python values: text stays text, and nested values such as chat messages become JSON text."""
    from pyarrow import large_binary, types

    if types.is_nested(values.type):
        return [None if value is None else json.dumps(value, default=str).encode() for value in values.to_pylist()]
    if _is_text(values.type) or not (_is_binary(values.type) or types.is_string_view(values.type)):
        try:
            return values.to_pylist()
        except UnicodeDecodeError:  # Arrow does not check that text is UTF-8
            pass
    # as in JSON and CSV, bytes that are not UTF-8 become lone surrogates, which the normaliser refuses in a prompt
    raw = values.cast(large_binary()).to_pylist()
    return [None if value is None else value.decode("utf-8", errors="surrogateescape") for value in raw]


def _is_binary(kind: "pyarrow.DataType") -> bool:
    from pyarrow import types

    kinds = (types.is_binary, types.is_large_binary, types.is_fixed_size_binary, types.is_binary_view)
    return any(is_kind(kind) for is_kind in kinds)


def _is_text(kind: "pyarrow.DataType") -> bool:
    from pyarrow import types

    return types.is_string(kind) or types.is_large_string(kind)


def _encoded(column: "pyarrow.Array") -> Encoded | list[Any]:
    """A column as distinct values and a number for each row; a nested column as a list."""
    import pyarrow

    if pyarrow.types.is_nested(column.type):
        return texts(column)
    for view, plain in (
        (pyarrow.string_view(), pyarrow.large_string()),
        (pyarrow.binary_view(), pyarrow.large_binary()),
    ):
        column = column.cast(plain) if column.type == view else column  # Arrow cannot filter views
    encoded = column if isinstance(column, pyarrow.DictionaryArray) else column.dictionary_encode()
    size = len(encoded.dictionary)
    number = encoded.indices.cast(pyarrow.int64()).fill_null(size).to_numpy()  # ``size`` is the number of null
    # The dictionary belongs to a whole row group. Only the values of this batch are needed: mark those that occur,
    # count them in order, and translate each row's number by that count.
    used = np.zeros(size + 1, dtype=bool)
    used[number] = True
    values = texts(encoded.dictionary.filter(pyarrow.array(used[:size])))
    return Encoded([*values, None] if used[size] else values, (np.cumsum(used) - 1)[number])
