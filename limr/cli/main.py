"""The ``limr`` command: one subcommand a file."""

import argparse
import os
import sys
from collections.abc import Sequence

from limr import __version__
from limr.cli import audit, compare, early, export, grade, preflight, rollouts, score, select
from limr.cli.arguments import in_arguments
from limr.errors import LimrError, UsageError, Words

INTERRUPTED = 130  # as the shell has it for a program that an interrupt ended

_DESCRIPTION = """\
Which training prompts does reinforcement learning really need? From the rollouts that a training run left behind to the
prompts that taught the model something. (The experiment of the paper is run by `snakemake`.)"""

_EXAMPLE = """\
from a folder of rollouts to a subset to train on:
  $ limr audit rollouts/                                 what is in it, and is anything lost?
  $ limr score rollouts/ -o scores.parquet               a score a prompt
  $ limr select scores.parquet --keep share=0.163 -o subset.jsonl
  $ limr export subset.jsonl --to trl -o train.jsonl     as the trainer reads it

`limr COMMAND --help` explains each; docs/own_run.md walks through a run. Exit status: 0 done, 1 a file is wrong,
2 wrong usage, 130 interrupted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status: 0 done, 1 an error in the input or the machine, 2 wrong usage."""
    parser = argparse.ArgumentParser(
        prog="limr",
        description=_DESCRIPTION,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"limr {__version__}")
    subcommands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in (audit, score, select, export, compare, early, rollouts, grade, preflight):
        command.add_to(subcommands)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except LimrError as error:
        print(f"limr: {in_arguments(error.render(Words.COMMAND_LINE))}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except BrokenPipeError:  # who read the output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:  # of the disk, say
        print(f"limr: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0
