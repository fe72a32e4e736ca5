"""Refuses paths that no reader can use: devices, pipes and sockets, and names that are not UTF-8.

A device may hold no data (``/dev/null``), and reading a pipe may never end. Polars and Arrow open only names in UTF-8.
"""

import stat
from collections.abc import Callable
from pathlib import Path

from limr.errors import LimrError, shown
from limr.prompts import has_lone_surrogate

_KINDS: dict[Callable[[int], bool], str] = {
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
    stat.S_ISFIFO: "a pipe",
    stat.S_ISSOCK: "a socket",
}


def refuse_special(path: str | Path) -> None:
    """Raise LimrError if ``path`` is a device, a pipe or a socket.

    >>> refuse_special("/dev/null")
    Traceback (most recent call last):
    ...
    limr.errors.LimrError: /dev/null: found a device, expected a file. Save the data in a file and name this file.
    """
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):  # the reader reports it
        return
    for is_kind, kind in _KINDS.items():
        if is_kind(mode):
            advice = "Save the data in a file and name this file."
            raise LimrError(where=path, found=kind, expected="a file", advice=advice)


def refuse_undecodable(path: str | Path) -> None:
    """Raise LimrError if ``path`` is not UTF-8; Python represents the other bytes by lone surrogates."""
    if has_lone_surrogate(str(path)):
        # shown() escapes the surrogates, so that the message can be printed anywhere
        raise LimrError(where=shown(str(path), most=200), found="bytes that are not UTF-8", advice="Rename the file.")
