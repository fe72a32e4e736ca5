"""The log formats, one framework a file: each file defines one ``FORMAT``, and is named in ``NAMES``."""

from functools import cache
from importlib import import_module

from limr.errors import LimrError
from limr.logs.format import Format

NAMES = ("limr_fork", "nemo_rl", "open_instruct", "prime_rl", "table", "trl", "verifiers", "verl")


@cache
def formats() -> dict[str, Format]:
    """All formats by name. Imports their files, and with them the parsers, so it is not called before a log is read."""
    return {name: import_module(f"limr.logs.formats.{name}").FORMAT for name in NAMES}


def find_format(name: str) -> Format:
    """The format called ``name``; raises LimrError listing what is known when there is none."""
    if name not in NAMES:
        raise LimrError(f"format: found {name!r}, expected one of {', '.join(NAMES)}")
    return formats()[name]
