"""Files that are whole or absent: every artifact is written beside its final name and renamed when complete."""

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from limr.errors import LimrError


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it takes the final name, on any failure it is removed.

    Raises LimrError naming the file when the disk is full; whatever stood under the final name is untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")  # the same in every process: what a kill left is taken over
    try:
        yield temporary
        _flush_to_disk(temporary)
        temporary.replace(path)
    except Exception as error:
        if _is_disk_full(error):
            raise _disk_full(path) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_directory(path: str | Path) -> Iterator[Path]:
    """Yield an empty temporary directory beside ``path``; on success it replaces ``path``, on failure it is removed."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")  # the same in every process: what a kill left is taken over
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        if path.exists():
            shutil.rmtree(path)
        temporary.replace(path)
    except Exception as error:
        if _is_disk_full(error):
            raise _disk_full(path) from error
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    """Write ``value`` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _flush_to_disk(path: Path) -> None:
    with path.open("rb") as handle:
        os.fsync(handle.fileno())


def _is_disk_full(error: BaseException | None) -> bool:
    """Whether ``error``, or one it came from, is a full disk; libraries in other languages tell it in the text only."""
    if error is None:
        return False
    by_number = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    by_text = any(os.strerror(number) in str(error) for number in (errno.ENOSPC, errno.EDQUOT))
    return by_number or by_text or _is_disk_full(error.__cause__ or error.__context__)


def _disk_full(path: Path) -> LimrError:
    return LimrError(
        "the disk is full, and nothing was written under this name", where=path, advice="Free some room and run again."
    )
