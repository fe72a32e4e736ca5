"""A user's own data set of prompts: its rows as they are, and the columns that hold the prompt and the answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from limr.errors import Column, LimrError, one_line, one_of, shown
from limr.files.atomic import whole_file
from limr.files.overwrites import Input, Output, refuse_overwrites
from limr.files.rows import STANDARD, Row, read_rows, write_rows
from limr.files.strict_json import whole_characters

# Usual names of columns in published data sets. If the user names no column, the first name that is present is used.
# verl keeps the answer in an object: `a.b` is key b of the object under a.
NAMES = {
    "prompt": ("prompt", "problem", "question", "input", "query", "messages"),
    "answer": ("answer", "label", "gold", "ground_truth", "reward_model.ground_truth", "solution"),
    "prompt_id": ("prompt_id",),
}


@dataclass(frozen=True, eq=False)
class DataSet:
    """The rows of a file in their order, with the place of each (see ``limr.files.rows.read_rows``)."""

    file: str
    rows: list[Row]
    places: list[str]

    def column(self, name: str) -> Iterator[tuple[str, Any]]:
        """Each row's place, with the column, and value under ``name``; ``a.b`` is key b of the object under a.

        Raises LimrError with the place of a row that has no such key.
        """
        for place, row in zip(self.places, self.rows, strict=True):
            found, value = _look_up(row, name)
            if not found:
                keys = ", ".join(map(one_line, _names(row)))
                raise LimrError(f"key {name!r} is missing", where=place, found=f"the keys {keys}")
            yield f"{place}: column {name!r}", value

    def ids(self, name: str) -> list[str | None]:
        """The values under ``name`` as ids (see ``id_text``).

        Raises LimrError with the place of a row that has another value, or a number where other rows have text: 1 and
        "1" would become the same id.
        """
        ids, kinds = [], set()
        for place, value in self.column(name):
            ids.append(id_text(value, place))
            kinds |= {type(value)}
            if {str, int} <= kinds:
                raise LimrError(where=place, found=shown(value), expected="ids that are all text, or all whole numbers")
        return ids

    def name_of(self, column: str, given: str | None = None) -> str | None:
        """The data set's name for ``column`` (a key of ``NAMES``): ``given``, or the first usual name in row 1."""
        return given or next((name for name in NAMES[column] if _look_up(self.rows[0], name)[0]), None)


def _names(row: Row) -> list[str]:
    """The keys of a row as a user names them.

    >>> _names({"text": "2+2?", "extra_info": {"index": 3, "split": "train"}})
    ['text', 'extra_info.index', 'extra_info.split']
    """
    inside = {key: value if isinstance(value, dict) else {} for key, value in row.items()}
    return [name for key, below in inside.items() for name in ([f"{key}.{each}" for each in below] or [key])]


def read_data_set(file: str) -> DataSet:
    """Read all of ``file`` (``*.jsonl``, ``*.json``, ``*.csv``, ``*.parquet``, or ``-``).

    Raises LimrError with the place that cannot be read, or when there are no rows.
    """
    places, rows = [], []
    for place, row in read_rows(file):
        places.append(place)
        rows.append(row)
    if not rows:
        raise LimrError("there are no rows", where="standard input" if file == STANDARD else file)
    return DataSet(file, rows, places)


def id_text(value: Any, place: str) -> str | None:
    """An id of a data set as text, None for null and for text without characters.

    Raises LimrError with ``place`` if it is neither text nor a whole number.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise LimrError(where=place, found=shown(value), expected="an id: text or a whole number")
    return whole_characters(str(value), place)


def column_of(data_set: DataSet, column: str, given: str | None = None) -> str:
    """The name of ``column`` (``prompt`` or ``answer``) in the data set: ``given``, or a usual name.

    Raises LimrError listing the columns when none has a usual name.
    """
    name = data_set.name_of(column, given)
    if name is None:
        raise LimrError(
            f"there is no column of {column}s",
            where=data_set.file,
            found=f"the columns {', '.join(map(one_line, _names(data_set.rows[0])))}",
            expected=one_of(NAMES[column]),
            advice=["Name the column: ", Column(column), "."],
        )
    return name


def refuse_to_overwrite(data_set: DataSet, output: str) -> None:
    """Raise LimrError if ``output`` is the file of the data set."""
    if STANDARD not in (data_set.file, output):
        refuse_overwrites([Input("the data set", [Path(data_set.file)])], [Output("the output", Path(output))])


def write_some(data_set: DataSet, rows: Sequence[int], output: str) -> None:
    """Write the rows with the numbers ``rows``, in this order, with all their columns.

    From Parquet to Parquet the columns keep their types. Raises LimrError as ``limr.files.rows.write_rows`` does.
    """
    refuse_to_overwrite(data_set, output)
    if Path(data_set.file).suffix == Path(output).suffix == ".parquet":
        frame = pl.read_parquet(data_set.file, hive_partitioning=False, glob=False)
        with whole_file(output) as temporary:
            frame[list(rows)].write_parquet(temporary)
    else:
        write_rows((data_set.rows[row] for row in rows), output)


def _look_up(row: Row, name: str) -> tuple[bool, Any]:
    """Whether the row has that key, and its value."""
    if name in row:
        return True, row[name]
    first, _, rest = name.partition(".")
    inner = row.get(first)
    return _look_up(inner, rest) if rest and isinstance(inner, dict) else (False, None)
