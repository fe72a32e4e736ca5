"""A log format: how its files are recognised and read, and which keys its columns have."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from limr.errors import Column, LimrError, one_line
from limr.logs.log import COLUMNS, LogOptions, Part

ReadFunction = Callable[[Sequence[Path], LogOptions, bool], Iterator[tuple[int, Part]]]


@dataclass(frozen=True)
class Format:
    """The log of one framework.

    ``read(files, options, with_responses)`` yields (row of the file in ``files``, a part of it), in the order of the
    files and of the rollouts in them. It yields every file at least once and refuses an empty one. ``Part.step`` is
    None where the rows have no step; the step then comes from the file's name.
    """

    name: str
    title: str  # which framework writes it, and with which of its options
    files: str  # regular expression for a whole file name; its group ``step``, if any, is the training step
    keys: frozenset[str]  # a first row with all these keys has this format; if several fit, the one with most keys
    read: ReadFunction
    other_keys: tuple[frozenset[str], ...] = ()  # alternatives to ``keys``
    set_aside: Mapping[str, str] = field(default_factory=dict)  # key, file name or "folder/" -> what such files hold


def choose_keys(
    own: Mapping[str, str], chosen: Mapping[str, str], needed: Collection[str] = ("reward",)
) -> dict[str, str | None]:
    """The key of each column: the one that the user has chosen for it, or the format's own.

    A column has no key (None) if the user has given its key to another column.

    Raises LimrError for a column that the format does not have, and for two columns with one key. Raises it also where
    a column of ``needed``, or the prompt, is left without a key.

    >>> choose_keys({"reward": "score", "correct": "acc"}, {"reward": "acc"})
    {'reward': 'acc', 'correct': None}
    """
    column_of: dict[str, str] = {}
    for column, key in chosen.items():
        if column not in own:
            raise LimrError(f"this format has no column {column!r}", where="columns", expected=", ".join(own))
        if column_of.setdefault(key, column) != column:
            raise LimrError(f"{key!r} is given to two columns, {column_of[key]} and {column}", where="columns")
    taken = [column for column, key in own.items() if key in column_of and column not in chosen]
    for column in taken:
        if column in needed or (column == "prompt" and "prompt_id" not in chosen):
            what = f"{own[column]!r} is given to {column_of[own[column]]}, but this format uses it for {column}"
            raise LimrError(what, where="columns", advice=[f"Give {column} another key: ", Column(column), "."])
    return {column: None if column in taken else chosen.get(column, own[column]) for column in own}


def find_columns(header: Sequence[str], chosen: Mapping[str, str]) -> dict[str, str]:
    """Our columns that a table has -> their names in its ``header``.

    Raises LimrError as ``choose_keys`` does, and where a column that the user has named is missing.

    >>> find_columns(["prompt", "score", "loss"], {"reward": "score"})
    {'prompt': 'prompt', 'reward': 'score'}
    """
    for column, name in chosen.items():
        if name not in header:
            raise LimrError(f"there is no column {name!r} ({column})", found=", ".join(map(one_line, header)))
    names = choose_keys({column: column for column in COLUMNS}, chosen)
    found = {column: name for column, name in names.items() if name is not None and name in header}
    refuse_repeated(header, found.values())
    return found


def refuse_repeated(header: Sequence[str], used: Collection[str]) -> None:
    """Raise LimrError where a column that is ``used`` occurs several times in ``header``."""
    for name in used:
        if header.count(name) > 1:
            raise LimrError(
                where=f"column {name!r}",
                found=f"{header.count(name)} columns of this name",
                expected="one",
                advice="Rename the others.",
            )
