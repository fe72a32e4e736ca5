"""What several subcommands take: a source of trajectories, a choice, options of a method. Wrong ones are wrong usage.

Nothing here loads the library before an argument needs it: ``--help`` is to come at once.
"""

import argparse
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limr.errors import LimrError, UsageError

if TYPE_CHECKING:
    from limr.logs.log import LogOptions
    from limr.logs.source import Extracted
    from limr.trajectories import Trajectories

SOURCES = """\
SOURCE is what a training run left behind, read as it is:
  a folder of rollouts, or one file of them, recognised by the keys of its rows, or named with --format:
      verl, trl, nemo_rl, open_instruct, prime_rl, verifiers, limr_fork; and this project's own rollouts
  a table (*.parquet, *.csv, *.jsonl) with one row a rollout; --column says what its columns are called
  trajectories: a Parquet file of this project, or One-Shot-RLVR's JSON of accuracies"""

KEEP = """\
What --keep takes (how many of the prompts are selected, best score first):
  share=0.163     this share of all prompts         top=1000        this many
  theta=0.6       every score of at least 0.6       theta_for=1000  by the theta that comes closest to this many
  quantile=0.84   scores from this quantile on      all             every prompt that has a score"""

METHODS = """\
lim, linear, cosine, pearson, slope, standard_deviation, learnability, pass_rate_band, zero_variance,
  greso, mopps, prioritised, rand, full (docs/methods.md)"""

PAPER_SHARE = 0.163  # 1,389 of 8,523


def add_parser(subcommands: Any, name: str, summary: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """A subcommand whose help is laid out as it is written."""
    return subcommands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_source(parser: argparse.ArgumentParser, visits: bool = True) -> None:
    """SOURCE and what a person can say about it; ``read`` reads it."""
    parser.add_argument("source", metavar="SOURCE", help="what a training run left behind: see above")
    about = parser.add_argument_group("about the source (all of it optional)")
    about.add_argument(
        "--format", metavar="NAME", help="format of the log, where it is not to be recognised: verl, trl..."
    )
    about.add_argument(
        "--samples", metavar="N", type=positive, help="samples of a visit; default: the most common number"
    )
    about.add_argument(
        "--steps-per-epoch",
        metavar="N",
        type=positive,
        help="training steps that go once through all prompts: visits are then counted by step, and one that the log"
        " lacks stays a hole; default: counted one after another",
    )
    about.add_argument(
        "--column",
        metavar="OURS=THEIRS",
        type=name_and_value,
        action="append",
        default=[],
        help="what the log calls prompt, prompt_id, step, reward, correct, answer or response, e.g. reward=score;"
        " can be given several times",
    )
    if visits:
        about.add_argument("--visits", metavar="N", type=positive, help="use the first N visits of each prompt only")


def read(options: argparse.Namespace) -> "Extracted":
    """The trajectories of SOURCE, with their audit and the log's prompts."""
    said = log_options(options)
    from limr.logs.source import read_source

    return read_source(options.source, said, options.visits)


def log_options(options: argparse.Namespace) -> "LogOptions":
    """What was said about SOURCE."""
    from limr.logs.formats import find_format
    from limr.logs.log import COLUMNS, LogOptions

    if options.format is not None:
        try:
            find_format(options.format)
        except LimrError as error:
            raise UsageError(str(error)) from error
    return LogOptions(options.format, options.samples, options.steps_per_epoch, columns(options, *COLUMNS))


def add_columns(parser: argparse.ArgumentParser, *names: str) -> None:
    """What the columns of a data set are called; ``columns`` gives it."""
    parser.add_argument(
        "--column",
        metavar="OURS=THEIRS",
        type=name_and_value,
        action="append",
        default=[],
        help=f"what the data set calls {' or '.join(names)} (a.b for a column of columns); can be given several times",
    )


def columns(options: argparse.Namespace, *names: str) -> dict[str, str]:
    """Our names -> theirs; raises UsageError for one that is not among ``names``."""
    for name, _ in options.column:
        if name not in names:
            raise UsageError(f"--column: found {name}, expected one of {', '.join(names)}")
    return dict(options.column)


def add_method(parser: argparse.ArgumentParser) -> None:
    """The method of scoring and its options; ``settings`` is what they come to."""
    parser.add_argument("--method", metavar="NAME", default="lim", help="how prompts are scored; default: lim")
    parser.add_argument(
        "--option",
        metavar="NAME=VALUE",
        type=name_and_value,
        action="append",
        default=[],
        help="an option of the method, e.g. signal=accuracy or missing=next; can be given several times",
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="for methods that draw lots; default: 0")


def add_keep(parser: argparse.ArgumentParser, default: Any, shown: str) -> None:
    """How many are selected."""
    parser.add_argument(
        "--keep", metavar="HOW", type=keep, default=default, help=f"which prompts are selected; default: {shown}"
    )


def add_top(parser: argparse.ArgumentParser) -> None:
    """The share of the prompts that count as the top."""
    parser.add_argument(
        "--top",
        metavar="SHARE",
        type=_share,
        default=PAPER_SHARE,
        help=f"share of the prompts that are the top; default: {PAPER_SHARE}, the paper's",
    )


def add_figure(parser: argparse.ArgumentParser) -> None:
    """Where to draw."""
    parser.add_argument("--figure", metavar="FILE", help="also draw it: *.png")


def settings(method: str, options: list[tuple[str, str]]) -> dict[str, Any]:
    """A method and its options as a row of the configuration has them, each option of the type that the method takes.

    Raises UsageError for a method or an option that does not exist, and for a value of another type.
    """
    from limr.selection.options import parse_options

    try:
        return {"score": method, "options": parse_options(method, dict(options))}
    except LimrError as error:
        raise UsageError(str(error)) from error


def with_known_signals(
    command: str, methods: Mapping[str, dict[str, Any]], trajectories: "Trajectories"
) -> dict[str, dict[str, Any]]:
    """The settings of ``methods``; those that name no signal are scored by accuracies where a source has nothing else.

    Which ones, the person is told.
    """
    from limr.selection.method import option_names
    from limr.trajectories import known_signals

    if known_signals(trajectories) != ["accuracy"]:
        return dict(methods)
    by_accuracy = {
        name: {**row, "options": {**row["options"], "signal": "accuracy"}}
        for name, row in methods.items()
        if "signal" in option_names(row["score"]) and "signal" not in row["options"]
    }
    if by_accuracy:
        say(command, f"the source has accuracies and no rewards: signal=accuracy for {', '.join(by_accuracy)}")
    return {**methods, **by_accuracy}


def keep(text: str) -> str | dict[str, float]:
    """``all``, or NAME=NUMBER as ``limr.selection.choose`` takes it: an argparse type."""
    from limr.selection.choose import check_keep

    choice: str | dict[str, float] = text
    if "=" in text:
        name, value = name_and_value(text)
        choice = {name: _number(value)}
    try:
        check_keep(choice)
    except LimrError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return choice


def name_and_value(text: str) -> tuple[str, str]:
    """NAME=VALUE in two: an argparse type."""
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected NAME=VALUE")
    return name, value


def positive(text: str) -> int:
    """A whole number above 0: an argparse type."""
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a whole number, 1 or more")
    return int(text)


def refuse_output(output: str, *suffixes: str) -> None:
    """Raise UsageError, before any work is done, where ``output`` is of another kind, or a folder."""
    path = Path(output)
    if output != "-" and path.suffix not in suffixes:
        raise UsageError(f"{output}: found the suffix {path.suffix!r}, expected {' or '.join(suffixes)}, or - alone")
    refuse_place(output)


def refuse_place(output: str) -> None:
    """Raise UsageError where no file ``output`` can be, whatever is in it."""
    if Path(output).is_dir():
        raise UsageError(f"{output}: cannot be written: it is a folder")
    refuse_parent(output)


def refuse_parent(output: str) -> None:
    """Raise UsageError where neither file nor folder ``output`` can be made."""
    path = Path(output).absolute()
    parent = next(folder for folder in path.parents if folder.exists())  # folders that are not there are made
    if not (parent.is_dir() and os.access(parent, os.W_OK)):
        raise UsageError(f"{output}: cannot be written: {parent} is no folder that can be written to")


def check_figure(figure: str | None) -> None:
    """Raise UsageError, before any work is done, where there is to be a figure and it cannot be."""
    if figure is not None and Path(figure).suffix != ".png":
        raise UsageError(f"--figure: found {figure}, expected a file *.png")
    if figure is not None:
        refuse_place(figure)


def say(command: str, *lines: str) -> None:
    """Lines for the person, on standard error: standard output is for what was asked for."""
    for line in lines:
        print(f"limr {command}: {in_arguments(line)}", file=sys.stderr)


def in_arguments(message: str) -> str:
    """A message of the library, which speaks of the configuration's rows, for who has a command line.

    >>> in_arguments("score by it instead, with `options: {signal: accuracy}`")
    'score by it instead, with --option signal=accuracy'
    >>> in_arguments("`visits` of 44 would keep them all")
    '--visits 44 would keep them all'
    >>> in_arguments("count visits by epochs: say steps_per_epoch.")
    'count visits by epochs: say --steps-per-epoch.'
    """
    for written, meant in _IN_ARGUMENTS.items():
        message = re.sub(written, meant, message)
    return message


_IN_ARGUMENTS = {
    r"`options: \{(\w+): ([^{}]*)\}`": r"--option \1=\2",
    r"`missing: next`": "--option missing=next",
    r"(?<!-)\boption best_reward=": "--option best_reward=",
    r"`visits` of (\d+)": r"--visits \1",
    r"lower `visits`": "lower --visits",
    r"(?<!, )\bsteps_per_epoch\b(?!,)": "--steps-per-epoch",
}


def _share(text: str) -> float:
    share = _number(text)
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"found {text}, expected a share of the prompts between 0 and 1")
    return share


def _number(text: str) -> float:
    try:
        return int(text) if text.lstrip("+-").isdecimal() else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number") from None
