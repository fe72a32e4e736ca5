"""``limr compare``: methods side by side on one run: would they select the same prompts?"""

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from limr.cli import arguments
from limr.errors import LimrError, UsageError

_DESCRIPTION = f"""\
Score the prompts of SOURCE by several methods and compare the scores: how many of the prompts that one method puts at
the top does another put there too, and how well do their orders agree (Spearman)? Markdown on standard output.

{arguments.SOURCES}

methods: {arguments.METHODS}"""

_EXAMPLE = """\
examples:
  $ limr compare rollouts/                               all methods that the log has the numbers for
  $ limr compare rollouts/ --methods lim,linear,rand --top 0.1
  $ limr compare rollouts/ --methods lim:signal=reward,lim:signal=accuracy
  $ limr compare rollouts/ --csv > pairs.csv

A method's options stand behind it, each after a colon. Exit status: 0 done, 1 a file is wrong, 2 wrong usage."""


def add_to(subcommands: Any) -> None:
    """Add this subcommand to those of ``limr``."""
    parser = arguments.add_parser(
        subcommands, "compare", "compare what different methods would select", _DESCRIPTION, _EXAMPLE
    )
    arguments.add_source(parser)
    parser.add_argument(
        "--methods",
        metavar="NAME,...",
        help="what to compare, options as NAME:OPTION=VALUE; default: every method that can score this source",
    )
    arguments.add_top(parser)
    parser.add_argument("--csv", action="store_true", help="the pairs of methods as CSV instead of Markdown")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="for methods that draw lots; default: 0")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print the comparison; methods that were not asked for by name and cannot score the source are left out, said."""
    from limr.report.comparison import compare_scores
    from limr.selection.scoring import score_prompts

    methods = _methods(options.methods)
    trajectories = arguments.read(options).trajectories
    scores = {}
    for name, settings in arguments.with_known_signals("compare", methods, trajectories).items():
        try:
            scores[name] = score_prompts(name, {**settings, "keep": "all"}, trajectories, None, options.seed)
        except LimrError as error:
            if options.methods:
                raise
            arguments.say("compare", f"left out: {error}")
    comparison = compare_scores([scores], options.top)
    sys.stdout.write(comparison.pairs.write_csv(float_precision=6) if options.csv else comparison.markdown())


def _methods(text: str | None) -> Mapping[str, dict[str, Any]]:
    """Name -> settings; what was written is the name, so that one method can stand there with different options."""
    from limr.selection.method import score_names

    if text is None:
        return {name: arguments.settings(name, []) for name in score_names() if name != "full"}  # which all tie in
    methods = {}
    for written in text.split(","):
        name, *options = written.split(":")
        try:
            pairs = [arguments.name_and_value(option) for option in options]
        except argparse.ArgumentTypeError as error:
            raise UsageError(f"--methods: {written}: {error}") from error
        if written in methods:
            raise UsageError(f"--methods: {written} stands there twice")
        methods[written] = arguments.settings(name, pairs)
    if len(methods) < 2:
        raise UsageError(f"--methods: found {text!r}, expected at least two, with a comma between them")
    return methods
