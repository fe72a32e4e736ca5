"""Atomic writes: a file or directory gets a temporary name and is renamed when it is complete.

The temporary name belongs to one writer: ``.NAME.MACHINE-PROCESS-RANDOM.partial``, beside NAME. So two processes or
threads can write the same file at once: neither touches the other's temporary file, and the last one to finish wins.

A process that is killed with SIGKILL or loses power leaves its temporary file behind. The next writer of the same NAME
removes the leftovers of dead writers. On this machine, a writer is dead when its process is gone. Processes of other
machines cannot be checked, so their leftovers are removed after a day without a change.
"""

import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from limr.errors import LimrError

ABANDONED_SECONDS = 24 * 60 * 60
"""A temporary file of another machine is removed after this many seconds without a change."""

# no dot, so that the leftovers of "a.b" do not match those of "a"
_WRITER = re.compile(r"([0-9a-f]{8})-(\d{1,9})-[0-9a-f]{8}")


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it takes the final name, on any failure it is removed.

    Raises LimrError naming the file when the disk is full. On any failure the old file stays as it was.
    """
    path = Path(path)
    temporary = _new_temporary(path)
    try:
        with _named_if_disk_full(path):
            yield temporary
            _flush_to_disk(temporary)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_directory(path: str | Path) -> Iterator[Path]:
    """Yield an empty temporary directory beside ``path``; on success it replaces ``path``, on failure it is removed.

    A process that is killed while it replaces ``path`` leaves the old directory, the new one or none, never a part.
    """
    path = Path(path)
    with _temporary_directory(path) as temporary:
        yield temporary
        _replace_directory(temporary, path)


@contextmanager
def whole_group(path: str | Path) -> Iterator[Path]:
    """Yield a path in a temporary directory, for the new ``path`` and for files that belong beside it.

    On success, all files of that directory move beside ``path``. The old ``path`` is removed before, and the new one
    moves last. So a reader that finds ``path`` never finds the other files of another write beside it. If writing
    fails, all old files stay as they were.
    """
    path = Path(path)
    with _temporary_directory(path) as temporary:
        yield temporary / path.name
        others = [file for file in temporary.iterdir() if file.name != path.name]
        if others:
            path.unlink(missing_ok=True)
        for file in (*others, temporary / path.name):
            file.replace(path.with_name(file.name))


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    """Write ``value`` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


@contextmanager
def _temporary_directory(path: Path) -> Iterator[Path]:
    """Yield an empty temporary directory beside ``path``, and remove what is left of it at the end."""
    temporary = _new_temporary(path)
    temporary.mkdir()
    try:
        with _named_if_disk_full(path):
            yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _new_temporary(path: Path) -> Path:
    """A temporary path that no other writer has, in a directory that exists and holds no leftovers for ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    return _temporary(path)


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{_machine()}-{os.getpid()}-{secrets.token_hex(4)}.partial")


def _remove_leftovers(path: Path) -> None:
    """Remove the temporary files and directories that dead writers of ``path`` left."""
    before, after = f".{path.name}.", ".partial"
    with os.scandir(path.parent) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(before) and entry.name.endswith(after)]
    for name in names:
        writer = _WRITER.fullmatch(name[len(before) : -len(after)])
        leftover = path.with_name(name)
        if writer is not None and _is_dead(leftover, machine=writer[1], process=int(writer[2])):
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)


def _is_dead(leftover: Path, machine: str, process: int) -> bool:
    """Whether the writer of ``leftover`` is gone. In doubt it counts as alive: an extra file does no harm."""
    if machine != _machine():
        return time.time() - _last_change(leftover) > ABANDONED_SECONDS
    try:
        os.kill(process, 0)  # signal 0 only checks that the process exists
    except ProcessLookupError:
        return True
    except OSError:  # a process of another user
        return False
    return False


def _last_change(path: Path) -> float:
    """When ``path``, or anything in it, was changed last; now when it has just been removed."""
    try:
        return max(each.lstat().st_mtime for each in (path, *path.rglob("*")))
    except OSError:
        return time.time()


@cache
def _machine() -> str:
    """Eight characters that identify the machine, or the container if it has a separate numbering of processes."""
    numbering = Path("/proc/self/ns/pid")  # Linux
    container = numbering.stat().st_ino if numbering.exists() else ""
    return hashlib.sha256(f"{socket.gethostname()} {container}".encode()).hexdigest()[:8]


def _replace_directory(new: Path, path: Path) -> None:
    """Rename ``new`` to ``path``. An old directory is renamed first, so that no reader finds it half deleted."""
    while True:
        try:
            new.replace(path)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        old = _temporary(path)
        with suppress(FileNotFoundError):  # another writer was faster
            path.replace(old)
        shutil.rmtree(old, ignore_errors=True)


def _flush_to_disk(path: Path) -> None:
    with path.open("rb") as handle:
        os.fsync(handle.fileno())


@contextmanager
def _named_if_disk_full(path: Path) -> Iterator[None]:
    """Turn the error of a full disk into one that names ``path``."""
    try:
        yield
    except Exception as error:
        if _is_disk_full(error):
            raise _disk_full(path) from error
        raise


def _is_disk_full(error: BaseException | None) -> bool:
    """Whether ``error``, or an error that caused it, reports a full disk.

    Polars and safetensors are written in Rust: they report a full disk only in the text of their errors.
    """
    if error is None:
        return False
    codes = (errno.ENOSPC, errno.EDQUOT)
    by_number = isinstance(error, OSError) and error.errno in codes
    by_text = not isinstance(error, LimrError) and any(os.strerror(code) in str(error) for code in codes)
    return by_number or by_text or _is_disk_full(error.__cause__ or error.__context__)


def _disk_full(path: Path) -> LimrError:
    return LimrError(
        "the disk is full, and nothing was written under this name",
        where=path,
        advice="Free some disk space and run again.",
    )
