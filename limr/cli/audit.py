"""``limr audit``: what a log of rollouts holds, and what is lost in it, without scoring anything."""

import argparse
import sys
from typing import Any

from limr.cli import arguments

_DESCRIPTION = f"""\
Read SOURCE and say what is in it: prompts, visits, samples, rewards; what is missing, partial, doubled or replayed; and
which prompts could not be scored and why. Nothing is written but the report, Markdown on standard output.

{arguments.SOURCES}"""

_EXAMPLE = """\
examples:
  $ limr audit rollouts/
  $ limr audit rollouts/ --samples 16 --steps-per-epoch 58
  $ limr audit table.csv --column prompt=question --column reward=score

How to read it: docs/own_run.md. Exit status: 0 it could be read, 1 it could not, 2 wrong usage."""


def add_to(subcommands: Any) -> None:
    """Add this subcommand to those of ``limr``."""
    parser = arguments.add_parser(subcommands, "audit", "say what a log of rollouts holds", _DESCRIPTION, _EXAMPLE)
    arguments.add_source(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print the audit."""
    sys.stdout.write(arguments.in_arguments(arguments.read(options).audit.markdown()))
