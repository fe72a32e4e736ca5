"""``limr compare``: which prompts would different methods select from the same run?"""

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from limr.cli import arguments, method_arguments, source_arguments
from limr.cli.files_of_command import Files
from limr.errors import LimrError, UsageError, shown

_DESCRIPTION = f"""\
Score the prompts of SOURCE with several methods and compare each pair of methods: the overlap of their best prompts,
and the rank correlation (Spearman) of their scores. Markdown on standard output.

{source_arguments.SOURCES}

methods: {method_arguments.METHODS}"""

_EXAMPLES = """\
examples:
  $ limr compare rollouts/                               every method that can score this run
  $ limr compare rollouts/ --methods lim,linear,rand --top 0.1
  $ limr compare rollouts/ --methods lim:signal=reward,lim:signal=accuracy
  $ limr compare rollouts/ --csv > pairs.csv

Exit status: 0 done, 1 a file is wrong, 2 wrong usage."""


def add_to(subcommands: Any) -> None:
    """Add this subcommand to ``limr``."""
    parser = arguments.add_parser(
        subcommands, "compare", "compare what different methods would select", _DESCRIPTION, _EXAMPLES
    )
    source_arguments.add_source(parser)
    parser.add_argument(
        "--methods",
        metavar="NAME,...",
        help="two or more methods, with options as NAME:OPTION=VALUE; default: every method but `full` that can score"
        " the source",
    )
    method_arguments.add_top(parser)
    parser.add_argument("--csv", action="store_true", help="print the pairs of methods as CSV instead of Markdown")
    arguments.add_seed(parser, "seed of the methods that draw at random")
    parser.set_defaults(run=run, files=files)


def files(options: argparse.Namespace) -> Files:
    """SOURCE; the report goes to standard output."""
    return [source_arguments.source(options)], []


def run(options: argparse.Namespace) -> None:
    """Print the comparison. Without ``--methods``, a method that cannot score the source is left out with a note."""
    from limr.report.comparison import compare_scores
    from limr.selection.scoring import score_prompts

    methods = _methods(options.methods)
    trajectories = source_arguments.read(options).trajectories
    scores = {}
    for name, settings in method_arguments.with_known_signal("compare", methods, trajectories).items():
        try:
            scores[name] = score_prompts(name, {**settings, "keep": "all"}, trajectories, None, options.seed)
        except LimrError as error:
            if options.methods:
                raise
            arguments.note("compare", error.inside("left out"))
    comparison = compare_scores([scores], options.top)
    sys.stdout.write(comparison.pairs.write_csv(float_precision=6) if options.csv else comparison.markdown())


def _methods(text: str | None) -> Mapping[str, method_arguments.Settings]:
    """Name -> settings. The name includes the options, so one method can occur several times with different options."""
    from limr.selection.method import score_names

    if text is None:  # `full` is left out: it gives every prompt the same score
        return {name: method_arguments.method_settings(name, []) for name in score_names() if name != "full"}
    methods = {}
    for written in map(str.strip, text.split(",")):
        if written in methods:
            raise UsageError("the same method twice", where="--methods", found=written)
        name, *options = written.split(":")
        pairs = []
        for option in options:
            pair = arguments.split_pair(option)
            if pair is None:
                raise UsageError(where=("--methods", written), found=shown(option), expected="OPTION=VALUE")
            pairs.append(pair)
        methods[written] = method_arguments.method_settings(name, pairs)
    if len(methods) < 2:
        raise UsageError(where="--methods", found=text, expected="two or more methods with commas between them")
    return methods
