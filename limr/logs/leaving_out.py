"""Files of a folder that are not read: those that the user leaves out by name, and those that must not be missed.

A file that looks like a part of the log is never skipped in silence. It is read, left out by name, or an error.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from limr.errors import LimrError, Names, Setting, Text, one_line, suggest
from limr.logs.log_files import SUFFIXES

BY_NAME = "left out by name"  # why a file that the user named was not read

_COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip")


def is_named(file: Path, path: Path, names: Iterable[str]) -> bool:
    """Whether one of ``names`` names ``file``, which is ``path`` or below it.

    A name is the file's name, its path inside ``path``, or a folder inside ``path``; ``*`` stands for any text.

    >>> [is_named(Path("run/old/1.jsonl"), Path("run"), [name]) for name in ("1.jsonl", "old", "ol*/1*", "2.jsonl")]
    [True, True, True, False]
    """
    inside = _inside(file, path)
    known = (file.name, str(file), *map(str, (inside, *list(inside.parents)[:-1])))
    return any(text == name.rstrip("/") or fnmatchcase(text, name.rstrip("/")) for name in names for text in known)


def without_named(path: Path, files: Sequence[Path], names: Sequence[str]) -> tuple[list[Path], list[Path]]:
    """``files`` without those that ``names`` names, and those that it names.

    Raises LimrError for a name that no file has, and where no file is left.
    """
    others = list(_unlisted(path, files)) if names else []
    for name in names:
        if not any(is_named(file, path, [name]) for file in (*files, *others)):
            known = [str(_inside(file, path)) for file in files]
            raise LimrError(
                "no file to leave out has this name", where=path, found=repr(name), advice=suggest(name, known[:6])
            )
    is_left_out = [is_named(file, path, names) for file in files]
    named, kept = (
        [file for file, out in zip(files, is_left_out, strict=True) if out is chosen] for chosen in (True, False)
    )
    if not kept:
        raise LimrError("every file is left out", where=path, expected="a file to read")
    return kept, [*named, *(file for file in others if is_named(file, path, names))]


def form(file: Path, path: Path) -> str:
    """The path of ``file`` inside ``path``, with # for every number.

    >>> form(Path("run/step_12/traces.jsonl"), Path("run"))
    'step_#/traces.jsonl'
    """
    return re.sub(r"\d+", "#", str(_inside(file, path)))


def _inside(file: Path, path: Path) -> Path:
    """The path of ``file`` inside the folder ``path``."""
    return file.relative_to(path) if file != path and file.is_relative_to(path) else file


def refuse_unlisted(path: Path, files: Sequence[Path], read: Sequence[Path], names: Sequence[str]) -> None:
    """Raise LimrError for a part of the log that the search could not list among ``files``.

    It has the ending of a file beside it that is ``read``, or its name, but is a link that leads nowhere, or a pipe; or
    it is compressed, or its ending is in capital letters. A compressed copy beside a file is no part of the log.
    """
    unlisted = [file for file in _unlisted(path, files) if not is_named(file, path, names)]
    if not unlisted:
        return
    forms, alike = {form(file, path) for file in read}, {(file.parent, file.suffix) for file in read}
    for file in unlisted:
        if (file.parent, file.suffix) in alike or form(file, path) in forms:
            broken = not file.exists()
            raise not_read(file, path, "it is a link that leads to no file" if broken else "it is not a regular file")
        compressed = file.suffix.lower() in _COMPRESSED
        plain = file.with_suffix("" if compressed else file.suffix.lower())
        if plain != file and form(plain, path) in forms and not plain.exists():
            raise not_read(file, path, f"files that end with {file.suffix!r} are not read")


def not_read(
    file: Path, path: Path, what: Text = "", advice: str = "", found: Text = "", expected: Text = ""
) -> LimrError:
    """The error for a file that looks like a part of the log at ``path``, but which is not read."""
    correct = advice or "If it belongs to the log, correct it."
    return LimrError(what, where=file, found=found, expected=expected, advice=[correct, " ", *leave_out(file, path)])


def leave_out(file: Path, path: Path) -> list[str | Setting]:
    """The advice to leave out ``file``."""
    return ["If it does not belong to the log, leave it out: ", Names("leave_out", str(_inside(file, path))), "."]


def describe(path: Path, left_out: Mapping[str, str], most: int = 3) -> str:
    """Files that are left out, by reason.

    >>> describe(Path("run"), {"run/a.csv": "left out by name", "run/eval/1.csv": "evaluation"})
    '2 files are not read: 1 left out by name (a.csv); 1 evaluation (eval/1.csv)'
    """
    of_reason: dict[str, list[str]] = {}
    for file, reason in left_out.items():
        name = one_line(_inside(Path(file), path))
        of_reason.setdefault(reason, []).append(name)
    listed = [
        f"{len(files):,} {reason} ({', '.join(files[:most])}{', ...' if len(files) > most else ''})"
        for reason, files in of_reason.items()
    ]
    return f"{len(left_out):,} {'file is' if len(left_out) == 1 else 'files are'} not read: {'; '.join(listed)}"


def _unlisted(path: Path, files: Iterable[Path]) -> Iterator[Path]:
    """Everything below ``path`` that is not hidden, not a folder and not in ``files``."""
    listed = set(files)
    for parent, below, names in os.walk(path):
        below[:] = [name for name in below if not name.startswith(".")]
        found = (Path(parent, name) for name in sorted(names) if not name.startswith("."))
        # a link to a file that is listed too is no other file
        yield from (
            file
            for file in found
            if file not in listed and not (file.suffix in SUFFIXES and file.is_symlink() and file.is_file())
        )
