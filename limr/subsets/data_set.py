"""Somebody's own data set of prompts: its rows as they are, and which of its columns hold the prompt and the answer."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from limr.errors import LimrError
from limr.files.atomic import whole_file
from limr.files.rows import STANDARD, Row, read_rows, write_rows

# what the columns are called in data sets of the field; the first that is there is taken where none is named.
# verl keeps the answer in a column of columns, and names of that kind are written with a dot
NAMES = {
    "prompt": ("prompt", "problem", "question", "input", "query", "messages"),
    "answer": ("answer", "label", "gold", "ground_truth", "reward_model.ground_truth", "solution"),
    "prompt_id": ("prompt_id",),
}


@dataclass(frozen=True, eq=False)
class DataSet:
    """The rows of a file in their order, with the place each stands at (see ``limr.files.rows.read_rows``)."""

    file: str
    rows: list[Row]
    places: list[str]

    def column(self, name: str) -> Iterator[tuple[str, Any]]:
        """Each row's place and value under ``name``; ``a.b`` is key b of the object under a.

        Raises LimrError naming the place of a row that has no such key.
        """
        for place, row in zip(self.places, self.rows, strict=True):
            found, value = _look_up(row, name)
            if not found:
                raise LimrError(f"{place}: key {name!r} is missing; found {', '.join(row)}")
            yield place, value

    def name_of(self, what: str, given: str | None = None) -> str | None:
        """The column that holds ``what`` (a key of ``NAMES``): ``given``, or the first usual name that row 1 has."""
        return given or next((name for name in NAMES[what] if _look_up(self.rows[0], name)[0]), None)


def read_data_set(file: str) -> DataSet:
    """Read ``file`` (``*.jsonl``, ``*.json``, ``*.csv``, ``*.parquet``, or ``-``) whole.

    Raises LimrError for what cannot be read, with its place, and when there is no row.
    """
    places, rows = [], []
    for place, row in read_rows(file):
        places.append(place)
        rows.append(row)
    if not rows:
        raise LimrError(f"{'standard input' if file == STANDARD else file}: not one row in it")
    return DataSet(file, rows, places)


def column_of(data_set: DataSet, what: str, given: str | None = None) -> str:
    """The column that holds ``what`` (``prompt`` or ``answer``), given or by its usual names.

    Raises LimrError listing the columns when none has such a name.
    """
    name = data_set.name_of(what, given)
    if name is None:
        raise LimrError(
            f"{data_set.file}: no column of {what}s: found {', '.join(data_set.rows[0])}, expected one of"
            f" {', '.join(NAMES[what])}. Name it: --column {what}=NAME"
        )
    return name


def conversation(prompt: Any, place: str) -> list[Row]:
    """A prompt as messages: a text is the user's only one, a list of messages (verl, TRL) stays as it is.

    >>> conversation("2+2?", "row 1")
    [{'role': 'user', 'content': '2+2?'}]
    """
    if isinstance(prompt, str):
        return [{"role": "user", "content": prompt}]
    is_conversation = (
        isinstance(prompt, list)
        and all(isinstance(message, dict) and isinstance(message.get("content"), str) for message in prompt)
        and any(message.get("role") == "user" for message in prompt)
    )
    if not is_conversation:
        shown = json.dumps(prompt, default=str)
        raise LimrError(
            f"{place}: prompt: found {shown[:80]}, expected text, or messages with a user's among them:"
            ' [{"role": "user", "content": "..."}]'
        )
    return prompt


def user_turn(prompt: Any, place: str) -> str:
    """The text that the user says last.

    >>> user_turn([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2+2?"}], "row 1")
    '2+2?'
    """
    text = next(message["content"] for message in reversed(conversation(prompt, place)) if message["role"] == "user")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise LimrError(f"{place}: prompt: found half of a UTF-16 pair in {text[:80]!r}: text that no file can hold")
    return text


def write_some(data_set: DataSet, rows: Sequence[int], output: str) -> None:
    """Write those ``rows`` of the data set (their numbers, in order) with all their columns.

    From Parquet to Parquet the columns keep their types. Raises LimrError as ``limr.files.rows.write_rows`` does.
    """
    if Path(data_set.file).suffix == Path(output).suffix == ".parquet":
        frame = pl.read_parquet(data_set.file, hive_partitioning=False, glob=False)
        with whole_file(output) as temporary:
            frame[list(rows)].write_parquet(temporary)
    else:
        write_rows((data_set.rows[row] for row in rows), output)


def _look_up(row: Row, name: str) -> tuple[bool, Any]:
    """Whether there is such a key, and its value."""
    if name in row:
        return True, row[name]
    first, _, rest = name.partition(".")
    inner = row.get(first)
    return _look_up(inner, rest) if rest and isinstance(inner, dict) else (False, None)
