"""Finds the files of a folder that may hold a log, and the keys of a file's first row."""

import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path

from limr.errors import LimrError, first_line, one_of, shown
from limr.files.input_paths import refuse_special, refuse_undecodable
from limr.logs.json_exact import DECODER, starts_as_list
from limr.logs.log import RESTORE

SUFFIXES = (".json", ".jsonl", ".csv", ".parquet")

_CHUNK_BYTES = 2**16
_OTHER_BYTES = {
    b"\x1f\x8b": "a file compressed with gzip",
    b"\x28\xb5\x2f\xfd": "a file compressed with Zstandard",
    b"\xfd7zX": "a file compressed with xz",
    b"BZh": "a file compressed with bzip2",
    b"PK\x03\x04": "a ZIP archive",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}
_EXPECTED = "the log of a run"


def log_files(path: Path) -> list[Path]:
    """``path`` itself, or all files below it that may hold rollouts, without hidden and half-written files.

    They are sorted by name; numbers in a name are compared as numbers. Raises LimrError if there is no such file.
    """
    refuse_special(path)
    if not path.exists():
        raise LimrError("no such file or folder", where=path, expected=_EXPECTED)
    if path.is_file():
        if path.suffix not in SUFFIXES:
            raise LimrError(where=path, found=f"the suffix {path.suffix!r}", expected=one_of(SUFFIXES))
        return [path]
    found = list(_below(path))
    if not found:
        raise LimrError(f"there is no {', '.join(SUFFIXES)} file in it or below", where=path, expected=_EXPECTED)
    return sorted(found, key=by_name)


def folders_below(folder: Path) -> dict[str, list[Path]]:
    """Every folder that is searched (``folder`` and all below it): its real path -> the names that may hold rollouts.

    Links to folders are followed, each folder occurs once, and hidden ones are left out.
    """
    found: dict[str, list[Path]] = {}
    folders = [folder]
    for top in folders:
        for parent, below, names in os.walk(top, onerror=_refuse):
            real = os.path.realpath(parent)
            below[:] = [name for name in below if not name.startswith(".") and real not in found]
            folders += [Path(parent, name) for name in below if Path(parent, name).is_symlink()]
            files = [Path(parent, name) for name in names if not name.startswith(".")]
            files = [file for file in files if file.suffix in SUFFIXES]
            for file in files:
                refuse_undecodable(file)
            found.setdefault(real, files)
    return found


def _below(folder: Path) -> Iterator[Path]:
    """Files in and below ``folder``, each once: links to files that are also below it are ignored."""
    found = [file for files in folders_below(folder).values() for file in files if file.is_file()]
    links = [file for file in found if file.is_symlink()]
    files = [file for file in found if not file.is_symlink()]
    yield from files
    seen = {os.path.realpath(file) for file in files}
    for link in links:
        if os.path.realpath(link) not in seen:
            seen.add(os.path.realpath(link))
            yield link


def _refuse(error: OSError) -> None:
    raise LimrError(f"cannot be read: {error.strerror or error}", where=error.filename) from error


def by_name(path: Path) -> list[tuple[bool, int, str]]:
    """Sort key of a path: ``step_9`` comes before ``step_10``."""
    pieces = re.split(r"(\d+)", str(path))
    return [(piece.isdecimal(), int(piece) if piece.isdecimal() else 0, piece) for piece in pieces]


def whole_step(digits: str, file: Path) -> int:
    """The training step in the name of ``file``. Raises LimrError if it is no step: a number of 64 bits."""
    if len(digits) > 18:
        raise LimrError(where=file, found=f"{shown(digits)} in its name", expected="a training step")
    return int(digits)


def first_keys(file: Path) -> frozenset[str]:
    """The keys (columns) of the file's first row.

    Raises LimrError when the file is empty or its first row cannot be read; the caller adds the name of the file.
    """
    try:
        size = file.stat().st_size
        if size == 0:
            raise LimrError("is empty (0 bytes)", advice=RESTORE)
        match file.suffix:
            case ".parquet":
                return _parquet_columns(file)
            case ".csv":
                _refuse_other_bytes(file)  # any bytes are a header
                return _csv_columns(file)
            case _:
                return _json_keys(file)
    except LimrError:
        _refuse_other_bytes(file)
        raise
    except OSError as error:
        raise LimrError(f"cannot be read: {error.strerror or error}") from error


def _refuse_other_bytes(file: Path) -> None:
    """Raise LimrError if the first bytes show that the file is compressed, or text in another encoding than UTF-8."""
    with file.open("rb") as stream:
        start = stream.read(4)
    for first, found in _OTHER_BYTES.items():
        if start.startswith(first):
            expected = "Parquet" if file.suffix == ".parquet" else "text in UTF-8"
            raise LimrError(found=found, expected=expected, advice="Convert or unpack the file.")


def _parquet_columns(file: Path) -> frozenset[str]:
    import pyarrow
    from pyarrow import parquet

    try:
        return frozenset(parquet.read_schema(file).names)
    except pyarrow.ArrowException as error:
        reason = f"{file.stat().st_size:,} bytes; {first_line(error)}"
        raise LimrError(f"cannot be read as Parquet ({reason})", advice=RESTORE) from error


def _csv_columns(file: Path) -> frozenset[str]:
    try:
        # the buffer holds more than the first line; whether the rest is UTF-8 is checked when it is read
        with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
            return frozenset(next(csv.reader(stream), []))
    except csv.Error as error:
        raise LimrError(f"its first line is not CSV ({error})") from error


def _json_keys(file: Path) -> frozenset[str]:
    """The keys of the first object, in a list or on lines; reads on until the object is complete."""
    for text in _growing(file):
        row = text.removeprefix("\ufeff").lstrip()
        row = row.removeprefix("[").lstrip() if starts_as_list(row[:1].encode()) else row
        if not row:
            continue
        try:
            found, _ = DECODER.raw_decode(row)
        except ValueError:
            continue
        except RecursionError as error:
            raise LimrError("lists or objects in its first row are nested too deeply") from error
        return frozenset(found) if isinstance(found, dict) else frozenset()
    raise LimrError(f"its first row is not complete JSON ({file.stat().st_size:,} bytes)", advice=RESTORE)


def _growing(file: Path) -> Iterator[str]:
    """The start of the file, longer each time, and finally the whole file."""
    size, wanted = file.stat().st_size, _CHUNK_BYTES
    while True:
        with file.open("rb") as stream:
            yield stream.read(wanted).decode("utf-8", errors="replace")
        if wanted >= size:
            return
        wanted *= 8
