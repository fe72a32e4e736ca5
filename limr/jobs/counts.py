"""The comparisons of ``input_counts`` and ``run_counts``, and what their errors advise."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from limr.errors import LimrError, counted, shown
from limr.files.strict_json import parse_json

_OBJECT = "an object, {...}"


def refuse_count(
    where: Path | tuple[object, ...],
    found: int,
    expected: int,
    noun: str,
    source: str,
    made_again: Path | None = None,
) -> None:
    """Raise LimrError if two counts of ``noun`` differ. ``source`` says where the expected number comes from.

    ``made_again`` is what the user deletes; by default it is ``where``.
    """
    if found != expected:
        raise LimrError(
            where=where,
            found=counted(found, noun),
            expected=f"{expected:,} ({source})",
            advice=delete(made_again or Path(where)),
        )


def refuse_other_ids(path: Path, found: pl.Series, expected: pl.Series, noun: str, source: str) -> None:
    """Raise LimrError if the ids of ``path`` are not those that ``source`` has."""
    have, should = set(found), set(expected)
    if have != should:
        raise LimrError(
            where=path,
            found=f"{counted(len(have), noun)} (missing: {len(should - have):,}, not expected: {len(have - should):,})",
            expected=f"the {len(should):,} {source}",
            advice=delete(path),
        )


def delete(*paths: Path) -> str:
    """The advice to have Snakemake make ``paths`` again."""
    kind = "folder" if paths[0].is_dir() else "file"
    return (
        f"The {kind} is incomplete or belongs to another run. Delete {' and '.join(map(str, paths))}, then give the"
        " same `snakemake` command again: it repeats the stage that makes it, and the stages after that one."
    )


def read_json(path: Path) -> Mapping[str, Any]:
    """The object in the JSON file ``path``; empty if there is no such file. Raises LimrError if it holds no object."""
    if not path.is_file():
        return {}
    found = parse_json(path.read_bytes(), str(path), _OBJECT)
    if not isinstance(found, dict):
        raise LimrError(where=path, found=shown(found), expected=_OBJECT)
    return found
