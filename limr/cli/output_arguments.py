"""The outputs of a command. An output that cannot be written is refused before the work starts."""

import argparse
import os
from pathlib import Path

from limr.cli.arguments import require
from limr.cli.files_of_command import STANDARD
from limr.errors import UsageError, one_of


def add_figure(parser: argparse.ArgumentParser) -> None:
    """Add ``--figure``; ``check_figure`` checks it."""
    parser.add_argument("--figure", metavar="FILE", help="also draw the result: *.png")


def check_figure(figure: str | None) -> None:
    """Raise an error if the figure could not be drawn: UsageError for its file, ModuleNotFoundError for matplotlib."""
    if figure is None:
        return
    if Path(figure).suffix != ".png":
        raise UsageError(where="--figure", found=figure, expected="a file *.png")
    check_file(figure)
    require("matplotlib")


def check_output(output: str, *suffixes: str) -> None:
    """Raise UsageError if ``output`` has none of ``suffixes``, or cannot be written. ``-`` is standard output."""
    if output == STANDARD:
        return
    suffix = Path(output).suffix
    if suffix not in suffixes:
        raise UsageError(
            where=output or "an empty name",
            found=f"the suffix {suffix!r}",
            expected=f"{one_of(suffixes)}, or {STANDARD} alone",
        )
    check_file(output)


def check_file(output: str) -> None:
    """Raise UsageError if no file can be written to ``output``."""
    if Path(output).is_dir():
        raise UsageError("cannot be written: it is a folder", where=output)
    check_parent(output)


def check_parent(output: str) -> None:
    """Raise UsageError if the folder of ``output`` cannot be written to. Missing folders are created later."""
    path = Path(output).absolute()
    parent = next(folder for folder in path.parents if folder.exists())
    if not (parent.is_dir() and os.access(parent, os.W_OK)):
        raise UsageError(f"cannot be written: {parent} is not a folder that you can write to", where=output)
