"""SOURCE (the training run that a command reads) and the options about it."""

import argparse
from typing import TYPE_CHECKING

from limr.cli.arguments import add_pairs, columns, note, whole_number
from limr.cli.files_of_command import input_folder_or_file
from limr.errors import LimrError, UsageError, Words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from limr.files.overwrites import Input
    from limr.logs.findings import Finding
    from limr.logs.log import LogOptions
    from limr.logs.source import Extracted

SOURCES = """\
SOURCE holds the rollouts of a training run, as one of
  a log: a folder of rollouts, or one file of them. The keys of the rows identify the format, or --format sets it:
      verl, trl, nemo_rl, open_instruct, prime_rl, verifiers, limr_fork
  a table (*.parquet, *.csv, *.jsonl) with one row per rollout; --column names its columns
  this project's own rollouts, e.g. from `limr rollouts`
  trajectories: a Parquet file of this project, or the accuracies that One-Shot-RLVR released as JSON"""


def add_source(parser: argparse.ArgumentParser, visits: bool = True) -> None:
    """Add SOURCE and the options about it; ``read`` reads it. Without ``visits``, all visits are used."""
    parser.add_argument("source", metavar="SOURCE", help="the rollouts of a training run: see above")
    about = parser.add_argument_group("options about the source")
    about.add_argument("--format", metavar="NAME", help="format of the log; default: recognised by its keys")
    about.add_argument(
        "--samples",
        metavar="N",
        type=whole_number(1),
        help="samples per visit; default: the most common number in the log",
    )
    about.add_argument(
        "--steps-per-epoch",
        metavar="N",
        type=whole_number(1),
        help="training steps per epoch. Visits are then numbered by step, and a visit that the log lacks is missing;"
        " default: the visits of a prompt are numbered in order",
    )
    add_pairs(
        about,
        "--column",
        "OURS=THEIRS",
        "the log's name for column prompt, prompt_id, step, reward, correct, answer or response, e.g. reward=score",
    )
    about.add_argument(
        "--leave-out",
        metavar="NAME",
        action="append",
        default=[],
        help="a file or folder inside SOURCE that is not read; * stands for any text; can be given several times",
    )
    if visits:
        about.add_argument(
            "--visits", metavar="N", type=whole_number(1), help="use only the first N visits of each prompt"
        )


def source(options: argparse.Namespace) -> "Input":
    """SOURCE as an input of the command."""
    return input_folder_or_file("SOURCE", options.source)


def read(options: argparse.Namespace) -> "Extracted":
    """Read SOURCE: its trajectories, their audit, and the prompts of a log. A note lists the files left out."""
    about = log_options(options)
    from limr.logs.findings import FindingKind
    from limr.logs.source import read_source

    extracted = read_source(options.source, about, options.visits)
    left_out = (finding for finding in extracted.audit.findings if finding.kind is FindingKind.LEFT_OUT)
    note_findings(options.command, left_out)
    return extracted


def note_findings(command: str, findings: "Iterable[Finding]") -> None:
    """Print findings on standard error."""
    note(command, *(finding.render(Words.COMMAND_LINE) for finding in findings))


def log_options(options: argparse.Namespace) -> "LogOptions":
    """The options about SOURCE. Raises UsageError for an unknown format or column."""
    from limr.logs.formats import find_format
    from limr.logs.log import COLUMNS, LogOptions

    if options.format is not None:
        try:
            find_format(options.format)
        except LimrError as error:
            raise UsageError.of(error) from error
    named = columns(options, *COLUMNS)
    return LogOptions(options.format, options.samples, options.steps_per_epoch, named, tuple(options.leave_out))
