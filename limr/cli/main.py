"""The ``limr`` command."""

import argparse
import errno
import os
import sys
from collections.abc import Sequence

from limr import __version__
from limr.cli import audit, compare, early, export, grade, preflight, rollouts, score, select
from limr.cli.files_of_command import check_files
from limr.errors import LimrError, UsageError, Words, missing_package, shown
from limr.prompts import has_lone_surrogate

INTERRUPTED = 130  # the exit status that a shell gives to a program that SIGINT ended

_DESCRIPTION = """\
Which training prompts does reinforcement learning really need? `limr` reads the rollouts of a finished training run,
scores every prompt, and writes the prompts that taught the model something. `snakemake` runs the paper's experiment."""

_EXAMPLES = """\
from a folder of rollouts to a subset to train on:
  $ limr audit rollouts/                                 the contents of the run, and missing visits
  $ limr score rollouts/ -o scores.parquet               one score per prompt
  $ limr select scores.parquet --keep share=0.163 -o subset.jsonl
  $ limr export subset.jsonl --to trl -o train.jsonl     the file that the trainer reads

`limr COMMAND --help` explains each command; docs/own_run.md walks through a run.
Exit status: 0 done, 1 a file is wrong or a package is missing, 2 wrong usage, 130 interrupted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 done, 1 a wrong input or a missing package, 2 wrong usage."""
    try:
        run(parse(arguments))
    except LimrError as error:
        print(f"limr: {error.render(Words.COMMAND_LINE)}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except BrokenPipeError:  # the reader of our output closed it: end without a message
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        # files are written through limr.files.atomic, which names them where the disk is full
        unnamed = "standard output" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "a file"
        print(f"limr: {error.filename or unnamed}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The parsed arguments. Exits with status 2 if argparse refuses them; raises UsageError if another check does.

    Python represents bytes that are not UTF-8 by lone surrogates, which no file can hold and Polars cannot open.
    """
    parser = argparse.ArgumentParser(
        prog="limr",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"limr {__version__}")
    subcommands = parser.add_subparsers(metavar="COMMAND", dest="command", required=True)
    for command in (audit, score, select, export, compare, early, rollouts, grade, preflight):
        command.add_to(subcommands)
    arguments = sys.argv[1:] if arguments is None else arguments
    for argument in arguments:
        if has_lone_surrogate(argument):
            raise UsageError(
                where=("argument", shown(argument)),
                found="bytes that are not UTF-8",
                expected="text in UTF-8",
                advice="If it is a file or folder, rename it.",
            )
    options, unknown = parser.parse_known_args(arguments)
    if unknown:  # the error of `parse_args` would print the usage of `limr`, without the command's options
        subcommands.choices[options.command].error(f"unrecognized arguments: {' '.join(unknown)}")
    return options


def run(options: argparse.Namespace) -> None:
    """Run the subcommand that ``options`` name. Raises LimrError, also for a package that is not installed."""
    try:
        check_files(*options.files(options))
        options.run(options)
        sys.stdout.flush()
    except ModuleNotFoundError as error:
        missing = missing_package(error, f"`limr {options.command}`")
        if missing is None:
            raise
        raise missing from error
