"""Any table of rollouts with named columns: Parquet, CSV or JSON Lines (or a JSON list of objects).

The columns have the names of ``limr.logs.log.COLUMNS``, or the names that ``LogOptions.columns`` gives them. A table
needs ``reward``, and ``prompt`` or ``prompt_id`` or both. It may have ``step``, ``correct``, ``answer`` and
``response``. The step may also be in the file's name (``step_7.csv``). If it is in neither, the order of the files and
of their rows is taken as the order of training.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import msgspec

from limr.logs.format import Format
from limr.logs.json_rows import JsonRow, read_json
from limr.logs.log import LogOptions, Part
from limr.logs.table_csv import read_csv
from limr.logs.table_parquet import read_parquet


class Row(JsonRow):
    """A rollout."""

    reward: float
    prompt: msgspec.Raw = msgspec.Raw()
    prompt_id: msgspec.Raw = msgspec.Raw()
    step: int | None = None
    correct: bool | float | None = None
    answer: msgspec.Raw = msgspec.Raw()
    response: msgspec.Raw = msgspec.Raw()


def read(files: Sequence[Path], options: LogOptions, with_responses: bool) -> Iterator[tuple[int, Part]]:
    """Read tables in the order of ``files``; see ``Format.read``."""
    before = 0
    for suffix, group in groupby(files, key=lambda file: file.suffix):
        alike = list(group)
        match suffix:
            case ".parquet":
                parts = read_parquet(alike, options.columns, with_responses)
            case ".csv":
                parts = read_csv(alike, options.columns, with_responses)
            case _:
                parts = read_json(Row, alike, options, with_responses)
        for number, part in parts:
            yield before + number, part
        before += len(alike)


FORMAT = Format(
    name="table",
    title="a table with named columns",
    files=r".*step[_=-]?(?P<step>\d+)\D*",
    keys=frozenset({"prompt", "reward"}),
    other_keys=(frozenset({"prompt_id", "reward"}),),
    read=read,
)
