"""The log formats, one file for each framework. Each file defines one ``FORMAT`` and is listed in ``NAMES``."""

from functools import cache
from importlib import import_module

from limr.errors import LimrError, one_of
from limr.logs.format import Format

NAMES = ("limr_fork", "nemo_rl", "open_instruct", "prime_rl", "table", "trl", "verifiers", "verl")


@cache
def formats() -> dict[str, Format]:
    """All formats by name. This imports the parsers, so call it only when a log is to be read."""
    return {name: import_module(f"limr.logs.formats.{name}").FORMAT for name in NAMES}


def find_format(name: str) -> Format:
    """The format called ``name``; raises LimrError with the known names for an unknown one."""
    if name not in NAMES:
        raise LimrError(where="format", found=repr(name), expected=one_of(NAMES))
    return formats()[name]
