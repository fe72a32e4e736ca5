"""The ``limr`` command: one subcommand a file."""

import argparse
import os
import sys
from collections.abc import Sequence

from limr import __version__
from limr.commands import grade
from limr.errors import LimrError

INTERRUPTED = 130  # as the shell has it for a program that an interrupt ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status: 0 done, 1 an error in the input or the machine, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="limr", description="Tools beside the pipeline, which `snakemake` runs.")
    parser.add_argument("--version", action="version", version=f"limr {__version__}")
    subcommands = parser.add_subparsers(metavar="COMMAND", required=True)
    grade.add_to(subcommands)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except LimrError as error:
        print(f"limr: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # who read the output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0
