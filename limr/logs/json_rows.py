"""Rows of JSON text, a list of them or one a line: what a format says about its rows, and reading them.

The fast way decodes only what a format asks for, several files (or blocks of a large one) at a time in processes of
their own. Whatever it stumbles over is read once more with the standard library's parser (``json_exact``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache, partial
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from limr.errors import LimrError
from limr.logs import templates
from limr.logs.json_exact import exact_rows, starts_as_list
from limr.logs.json_parts import Rollouts, RowError, to_part
from limr.logs.log import LogOptions, Part
from limr.logs.parallel import run_in_order

__all__ = ["JsonRow", "Rollouts", "RowError", "read_json"]

BLOCK_BYTES = 32 * 2**20

_COLUMNS = {field.name for field in fields(Rollouts)}
_ONLY_WITH_RESPONSES = ("response", "response_tokens", "truncated")


class JsonRow(msgspec.Struct, gc=False, kw_only=True):
    """What is read of a row. A format subclasses it with its fields, ``rename`` giving their keys; others are skipped.

    The fields of a flat row, one rollout, are called as those of ``Rollouts``, and there is nothing else to say. For
    nested rows, and rows of several rollouts, override ``rollouts``. Subclasses must be importable by name.
    """

    @classmethod
    def rollouts(cls, rows: Sequence[Any], with_responses: bool) -> Rollouts:
        """The rows as columns."""
        wanted = [
            name
            for name in cls.__struct_fields__
            if name in _COLUMNS and (with_responses or name not in _ONLY_WITH_RESPONSES)
        ]
        return Rollouts(**{name: list(map(attrgetter(name), rows)) for name in wanted})

    @staticmethod
    def prompt_text(prompt: Any) -> str:
        """The user's turn of a decoded prompt; raises ValueError saying what was expected."""
        return templates.prompt_text(prompt)


@dataclass(frozen=True)
class _Block:
    """What is read at a time: a whole file, or some lines of one."""

    file: str
    start: int
    size: int

    def __str__(self) -> str:
        return self.file


def read_json(
    row: type[JsonRow], files: Sequence[Path], options: LogOptions, with_responses: bool
) -> Iterator[tuple[int, Part]]:
    """Read JSON files; as ``functools.partial(read_json, Row)`` it is what a ``Format`` reads with.

    Raises LimrError naming file, line (or row of a list), key, what was found and what was expected.
    """
    read = partial(_read_block, row, dict(options.columns), with_responses)
    blocks = [(number, block) for number, file in enumerate(files) for block in _blocks(file)]
    large = sum(block.size for _, block in blocks) > BLOCK_BYTES
    results = (run_in_order if large else map)(read, [block for _, block in blocks])
    previous, lines_before = -1, 0
    for (number, _), (part, lines) in zip(blocks, results, strict=True):
        lines_before = lines_before if number == previous else 0
        part.place[:] += lines_before
        lines_before += lines
        previous = number
        yield number, part


def _blocks(file: Path) -> Iterator[_Block]:
    """The whole file where it is small or a list, else blocks that end where a line does."""
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


def _read_block(row: type[JsonRow], names: dict[str, str], with_responses: bool, block: _Block) -> tuple[Part, int]:
    """The rollouts of a block, lines counted from its start, and how many lines it has."""
    row = renamed(row, names if with_responses else names | _unused(row))
    with Path(block.file).open("rb") as stream:
        stream.seek(block.start)
        text = stream.read(block.size)
    is_list = starts_as_list(text)
    try:
        rows, places = _fast_rows(row, text, is_list)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        rows, places = exact_rows(row, text, block.file, _lines_before(block))
    if not rows:
        raise LimrError(f"{block.file}: not one row ({block.size:,} bytes); expected rollouts. Was it cut short?")

    def where(place: int) -> str:
        return f"{block.file}: row {place}" if is_list else f"{block.file}: line {place + _lines_before(block)}"

    places = np.asarray(places, dtype=np.int64)
    try:
        rollouts = row.rollouts(rows, with_responses)
    except RowError as error:
        raise LimrError(f"{where(int(places[error.row]))}: key {error.key!r}: {error.what}") from error
    part = to_part(rollouts, places, row, where, with_responses)
    return part, 0 if is_list else text.count(b"\n")


def _fast_rows(row: type[JsonRow], text: bytes, is_list: bool) -> tuple[list[JsonRow], np.ndarray]:
    if is_list:
        rows = _decoder(list[row]).decode(text)
        return rows, np.arange(len(rows))
    rows = _decoder(row).decode_lines(text)
    if len(rows) != text.count(b"\n") + (not text.endswith(b"\n")):  # empty lines, or two rows on one
        raise msgspec.DecodeError
    return rows, np.arange(1, len(rows) + 1)


def _unused(row: type[JsonRow]) -> dict[str, str]:
    """Keys that no row has for what only a conversion needs: it is skipped then, whatever it is."""
    return {name: f"\x7f{name}" for name in _ONLY_WITH_RESPONSES if name in row.__struct_fields__}


def _lines_before(block: _Block) -> int:
    """Lines of the file before the block: counted only where a message needs them."""
    with Path(block.file).open("rb") as stream:
        return sum(stream.read(min(2**20, block.start - at)).count(b"\n") for at in range(0, block.start, 2**20))


@cache
def _decoder(decoded: Any) -> msgspec.json.Decoder:
    return msgspec.json.Decoder(decoded)


def renamed(row: type[JsonRow], keys: Mapping[str, str]) -> type[JsonRow]:
    """``row`` with other keys for some of its fields; raises LimrError for a field that it does not have."""
    return _renamed(row, tuple(keys.items()))


@cache
def _renamed(row: type[JsonRow], items: tuple[tuple[str, str], ...]) -> type[JsonRow]:
    keys = dict(items)
    unknown = [name for name in keys if name not in row.__struct_fields__]
    if unknown:
        raise LimrError(
            f"column {unknown[0]!r}: this format has no such column to name, only {', '.join(row.__struct_fields__)}"
        )
    keys |= _made_way(row, keys)
    changed = [
        (
            field.name,
            field.type,
            msgspec.field(name=keys[field.name], default=field.default, default_factory=field.default_factory),
        )
        for field in msgspec.structs.fields(row)
        if field.name in keys
    ]
    try:
        return msgspec.defstruct(row.__name__, changed, bases=(row,), kw_only=True, gc=False) if changed else row
    except ValueError as error:  # a quotation mark in a key
        raise LimrError(f"columns: found {', '.join(map(repr, keys.values()))}: {error}") from error


def _made_way(row: type[JsonRow], keys: Mapping[str, str]) -> dict[str, str]:
    """Keys that no row has for fields whose own are now another's; raises LimrError where such a field is needed."""
    named: dict[str, str] = {}
    for name, key in keys.items():
        if named.setdefault(key, name) != name:
            raise LimrError(f"columns: {key!r} is named twice, as {named[key]} and as {name}: a column is one of them")
    losers = [field for field in msgspec.structs.fields(row) if field.name not in keys and field.encode_name in named]
    for field in losers:
        if field.required or (field.name == "prompt" and "prompt_id" not in keys):
            raise LimrError(
                f"columns: {named[field.encode_name]} is named {field.encode_name!r}, which is this format's"
                f" {field.name}: say which column the {field.name} is"
            )
    return {field.name: f"\x7f{field.name}" for field in losers}
