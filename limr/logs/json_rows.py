"""Reads rows of JSON text, a list of objects or one object a line, as fast as two cores allow.

Why it exists: a run of the paper's size leaves 2.8 GB of JSON, most of it responses that scoring does not need.
``tests/benchmarks/benchmark_readers.py`` measures this reader against ``json.load`` and dictionaries in plain Python.
The speed comes from three things:

- msgspec decodes only the keys that a format names, and skips the text of the others.
- Files, or blocks of a large file, are read in several processes (``parallel``).
- A block that is not strict JSON is read once more by ``json_exact``; the fast path carries no code for messages.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cache, partial
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from limr.errors import LimrError
from limr.logs import templates
from limr.logs.format import choose_keys
from limr.logs.json_exact import exact_rows, starts_as_list
from limr.logs.log import RESTORE, LogOptions, Part
from limr.logs.normalise import Rollouts, RowError, to_part
from limr.logs.parallel import run_in_order

__all__ = ["JsonRow", "Rollouts", "RowError", "read_json"]

BLOCK_BYTES = 32 * 2**20

_COLUMNS = {field.name for field in fields(Rollouts)}
_ONLY_WITH_RESPONSES = ("response", "response_tokens", "truncated")


class JsonRow(msgspec.Struct, gc=False, kw_only=True):
    """The fields of a row that are read. A format subclasses it, and ``rename`` gives the keys of its fields.

    The fields of a flat row, which is one rollout, have the names of ``Rollouts``. Nothing more is needed. A format
    with nested rows, or with several rollouts in a row, overrides ``rollouts``. Worker processes import the subclass by
    its name.
    """

    @classmethod
    def rollouts(cls, rows: Sequence[Any], with_responses: bool) -> Rollouts:
        """The rows as columns; raises RowError for a row with an invalid value."""
        wanted = [
            name
            for name in cls.__struct_fields__
            if name in _COLUMNS and (with_responses or name not in _ONLY_WITH_RESPONSES)
        ]
        return Rollouts(**{name: list(map(attrgetter(name), rows)) for name in wanted})

    @staticmethod
    def prompt_text(prompt: Any) -> str:
        """The user's turn of a decoded prompt; raises LimrError with what was expected."""
        return templates.prompt_text(prompt)


@dataclass(frozen=True)
class _Block:
    """The unit of reading: a whole file, or some lines of a file."""

    file: str
    start: int
    size: int

    def __str__(self) -> str:
        return self.file

    def lines_before(self) -> int:
        """Lines of the file before the block: counted only where a message needs them."""
        with Path(self.file).open("rb") as stream:
            return sum(stream.read(min(2**20, self.start - at)).count(b"\n") for at in range(0, self.start, 2**20))


def read_json(
    row: type[JsonRow], files: Sequence[Path], options: LogOptions, with_responses: bool
) -> Iterator[tuple[int, Part]]:
    """Read JSON files; a ``Format`` reads with ``functools.partial(read_json, Row)``.

    Raises LimrError with file, line (or row of a list), key, what was found and what was expected.
    """
    read = partial(_read_block, row, tuple(options.columns.items()), with_responses)
    blocks = [(number, block) for number, file in enumerate(files) for block in _blocks(file)]
    # a small log is read in less time than processes take to start
    large = sum(block.size for _, block in blocks) > BLOCK_BYTES
    results = (run_in_order if large else map)(read, [block for _, block in blocks])
    previous, lines_before = -1, 0
    for (number, _), (part, lines) in zip(blocks, results, strict=True):
        # a block counts lines from its start: add the lines of the blocks before it in the file
        lines_before = lines_before if number == previous else 0
        part.place[:] += lines_before
        lines_before += lines
        previous = number
        yield number, part


def _blocks(file: Path) -> Iterator[_Block]:
    """The whole file if it is small or a list, else blocks that end at the end of a line."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        if size <= BLOCK_BYTES or starts_as_list(stream.read(64)):
            yield _Block(str(file), 0, size)
            return
        start = 0
        while start < size:
            stream.seek(min(start + BLOCK_BYTES, size))
            stream.readline()
            end = min(stream.tell(), size)
            yield _Block(str(file), start, end - start)
            start = end


def _read_block(
    row: type[JsonRow], chosen: tuple[tuple[str, str], ...], with_responses: bool, block: _Block
) -> tuple[Part, int]:
    """The rollouts of a block, with lines counted from its start, and the number of its lines."""
    row = _with_keys(row, chosen, with_responses)
    with Path(block.file).open("rb") as stream:
        stream.seek(block.start)
        text = stream.read(block.size)
    is_list = starts_as_list(text)
    try:
        rows, places = _fast_rows(row, text, is_list)
        part = _part(row, rows, places, with_responses, block)
    # Values that msgspec skips, or keeps as text, are decoded later or never: they may be no JSON.
    except (msgspec.DecodeError, RecursionError, ValueError, RowError):
        part = _exact_part(row, text, with_responses, block, is_list)
    return part, 0 if is_list else text.count(b"\n")


def _part(
    row: type[JsonRow], rows: list[JsonRow], places: Sequence[int] | np.ndarray, with_responses: bool, block: _Block
) -> Part:
    if not rows:
        found = f"no rows ({block.size:,} bytes)"
        raise LimrError(where=block.file, found=found, expected="rollouts", advice=RESTORE)
    places = np.asarray(places, dtype=np.int64)
    return to_part(row.rollouts(rows, with_responses), places, with_responses, row.prompt_text)


def _exact_part(row: type[JsonRow], text: bytes, with_responses: bool, block: _Block, is_list: bool) -> Part:
    """Read the block again, row by row, so that an error names its place."""
    rows, places = exact_rows(row, text, block.file, block.lines_before())
    try:
        return _part(row, rows, places, with_responses, block)
    except RowError as error:
        place = places[error.row]
        where = f"row {place}" if is_list else f"line {place + block.lines_before()}"
        keys = dict(zip(row.__struct_fields__, row.__struct_encode_fields__, strict=True))
        raise error.error.inside(block.file, where, f"key {keys.get(error.column, error.column)!r}") from error


def _fast_rows(row: type[JsonRow], text: bytes, is_list: bool) -> tuple[list[JsonRow], np.ndarray]:
    if is_list:
        rows = _decoder(list[row]).decode(text)
        return rows, np.arange(len(rows))
    rows = _decoder(row).decode_lines(text)
    if len(rows) != text.count(b"\n") + (not text.endswith(b"\n")):  # empty lines, or two rows on one line
        raise msgspec.DecodeError
    return rows, np.arange(1, len(rows) + 1)


@cache
def _decoder(decoded: Any) -> msgspec.json.Decoder:
    return msgspec.json.Decoder(decoded)


@cache
def _with_keys(row: type[JsonRow], chosen: tuple[tuple[str, str], ...], with_responses: bool) -> type[JsonRow]:
    """``row`` with the keys that the user has chosen, and without keys for columns that only a conversion needs.

    A field without a key gets a key that no row has, so msgspec skips the value.
    """
    own = dict(zip(row.__struct_fields__, row.__struct_encode_fields__, strict=True))
    needed = [field.name for field in msgspec.structs.fields(row) if field.required]
    keys = choose_keys(own, dict(chosen), needed)
    if not with_responses:
        keys |= dict.fromkeys(own.keys() & set(_ONLY_WITH_RESPONSES))
    changed = []
    for field in msgspec.structs.fields(row):
        name, defaults = keys[field.name], {"default": field.default, "default_factory": field.default_factory}
        if name != own[field.name]:
            name = f"\x7f{field.name}" if name is None else name
            changed.append((field.name, field.type, msgspec.field(name=name, **defaults)))
    try:
        return msgspec.defstruct(row.__name__, changed, bases=(row,), kw_only=True, gc=False) if changed else row
    except ValueError as error:  # a quotation mark in a key
        names = ", ".join(repr(key) for _, key in chosen)
        raise LimrError(f"a key cannot have this name ({error})", where="columns", found=names) from error
