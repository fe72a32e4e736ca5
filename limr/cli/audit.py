"""``limr audit``: report the contents of a run and its missing visits, without scoring it."""

import argparse
import sys
from typing import Any

from limr.cli import arguments, source_arguments
from limr.cli.files_of_command import Files
from limr.errors import Words

_DESCRIPTION = f"""\
Read SOURCE and report its prompts, visits, samples and rewards; which visits and steps are missing, partial, duplicate
or replayed; and which prompts could not be scored, and why. The report is Markdown on standard output. No file is
written.

{source_arguments.SOURCES}"""

_EXAMPLES = """\
examples:
  $ limr audit rollouts/
  $ limr audit rollouts/ --samples 16 --steps-per-epoch 58
  $ limr audit table.csv --column prompt=question --column reward=score

docs/own_run.md explains the report. Exit status: 0 done, 1 a file is wrong, 2 wrong usage."""


def add_to(subcommands: Any) -> None:
    """Add this subcommand to ``limr``."""
    parser = arguments.add_parser(subcommands, "audit", "report the contents of a run", _DESCRIPTION, _EXAMPLES)
    source_arguments.add_source(parser)
    parser.set_defaults(run=run, files=files)


def files(options: argparse.Namespace) -> Files:
    """SOURCE; the report goes to standard output."""
    return [source_arguments.source(options)], []


def run(options: argparse.Namespace) -> None:
    """Print the audit."""
    sys.stdout.write(source_arguments.read(options).audit.markdown(Words.COMMAND_LINE))
