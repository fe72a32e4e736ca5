"""Helpers of all subcommands: the layout of their help, the types of their arguments, and notes for the user.

The modules of this package import the library only when an argument or a command needs it, so ``--help`` is quick.
"""

import argparse
import math
import sys
from collections.abc import Callable
from typing import Any

from limr.errors import LimrError, Text, UsageError, Words, one_of, shown, write

MOST_SEED = 2**31 - 1  # as in a configuration
MOST = 10**15  # float64 holds every whole number up to here
A_NUMBER = f"a number from -{MOST:,} to {MOST:,}"


def add_parser(subcommands: Any, name: str, summary: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """Add subcommand ``name``; its help keeps the line breaks of ``description`` and ``epilog``."""
    return subcommands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_pairs(parser: Any, name: str, metavar: str, text: str) -> None:
    """Add an argument of the form ``NAME=VALUE`` that can be given several times; ``text`` is its help."""
    parser.add_argument(
        name,
        metavar=metavar,
        type=name_and_value,
        action="append",
        default=[],
        help=f"{text}; can be given several times",
    )


def add_seed(parser: argparse.ArgumentParser, text: str) -> None:
    """Add ``--seed``; ``text`` is its help without the default."""
    parser.add_argument("--seed", metavar="N", type=whole_number(0, MOST_SEED), default=0, help=f"{text}; default: 0")


def add_columns(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add ``--column`` for the columns ``names`` of a data set; ``columns`` reads it."""
    add_pairs(
        parser,
        "--column",
        "OURS=THEIRS",
        f"the data set's name for column {' or '.join(names)} (a.b: column b inside column a)",
    )


def columns(options: argparse.Namespace, *names: str) -> dict[str, str]:
    """The columns that the user named: our name -> the file's name.

    Raises UsageError if the user gave one of our names that is not in ``names``.
    """
    for name, _ in options.column:
        if name not in names:
            raise UsageError(where="--column", found=name, expected=one_of(names))
    return dict(options.column)


def name_and_value(text: str) -> tuple[str, str]:
    """Split ``NAME=VALUE``: a type for argparse."""
    pair = split_pair(text)
    if pair is None:
        raise argparse.ArgumentTypeError(f"found {shown(text)}, expected NAME=VALUE")
    return pair


def split_pair(text: str) -> tuple[str, str] | None:
    """``NAME=VALUE`` as a pair; None if ``text`` has another form.

    >>> split_pair("a=b=c"), split_pair("a")
    (('a', 'b=c'), None)
    """
    name, equals, value = text.partition("=")
    return (name, value) if name and equals and value else None


def whole_number(lowest: int, highest: int = 10**9) -> Callable[[str], int]:
    """A whole number from ``lowest`` to ``highest``, which no computation can overflow: a type for argparse.

    >>> whole_number(1)("12")
    12
    """

    def parse(text: str) -> int:
        # a text of more digits than `highest` has is no candidate; Python refuses to convert thousands of digits
        if not (text.isdecimal() and len(text) <= len(str(highest)) and lowest <= int(text) <= highest):
            expected = f"a whole number from {lowest:,} to {highest:,}"
            raise argparse.ArgumentTypeError(f"found {shown(text)}, expected {expected}")
        return int(text)

    return parse


def number(text: str) -> float:
    """A number, a whole one as int: a type for argparse.

    >>> number("-0.5"), number("12")
    (-0.5, 12)
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= MOST:
        raise argparse.ArgumentTypeError(f"found {shown(text)}, expected {A_NUMBER}")
    return int(text) if text.lstrip("+-").isdecimal() else value


def note(command: str, *lines: Text | LimrError) -> None:
    """Print lines for the user on standard error, because standard output is for results."""
    for line in lines:
        text = line.render(Words.COMMAND_LINE) if isinstance(line, LimrError) else write(line, Words.COMMAND_LINE)
        print(f"limr {command}: {text}", file=sys.stderr)


def require(package: str) -> None:
    """Raise ModuleNotFoundError if ``package`` is not installed. Does not import it, which can take seconds."""
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
