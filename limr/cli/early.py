"""``limr early``: after how many visits could the probe have stopped?"""

import argparse
import sys
from pathlib import Path
from typing import Any

from limr.cli import arguments, method_arguments, output_arguments, source_arguments
from limr.cli.files_of_command import Files, figure_file

MOST_RESAMPLES = 10_000  # each keeps a score of every prompt in memory

_DESCRIPTION = f"""\
If the run of SOURCE was made only for LIM's selection, how early could it have stopped? LIM scores the first 1, 2,
3 ... visits of each prompt. Each result is compared with LIM of all visits, and with LIM of the later visits alone:
overlap of the best prompts and rank correlation, with bootstrap intervals. Markdown on standard output; the first lines
are the answer, and a table follows.

{source_arguments.SOURCES}"""

_EXAMPLES = """\
examples:
  $ limr early rollouts/ --figure early.png
  $ limr early rollouts/ --theta 0.6 --csv > early.csv

--figure needs matplotlib: pip install 'limr[figures]'. Exit status: 0 done, 1 a file is wrong, 2 wrong usage."""


def add_to(subcommands: Any) -> None:
    """Add this subcommand to ``limr``."""
    parser = arguments.add_parser(
        subcommands, "early", "report how early the probe could have stopped", _DESCRIPTION, _EXAMPLES
    )
    source_arguments.add_source(parser)
    method_arguments.add_top(parser)
    parser.add_argument(
        "--theta",
        metavar="SCORE",
        type=arguments.number,
        help="also compare the prompts with scores of at least this theta",
    )
    arguments.add_pairs(
        parser, "--option", "NAME=VALUE", "an option of LIM: signal=accuracy, missing=next or best_reward=NUMBER"
    )
    parser.add_argument(
        "--resamples",
        metavar="N",
        type=arguments.whole_number(1, MOST_RESAMPLES),
        default=200,
        help=f"number of bootstrap resamples, at most {MOST_RESAMPLES:,}; default: 200",
    )
    arguments.add_seed(parser, "seed of the bootstrap")
    parser.add_argument("--csv", action="store_true", help="print the table as CSV instead of Markdown")
    output_arguments.add_figure(parser)
    parser.set_defaults(run=run, files=files)


def files(options: argparse.Namespace) -> Files:
    """SOURCE and the figure."""
    return [source_arguments.source(options)], figure_file(options.figure)


def run(options: argparse.Namespace) -> None:
    """Print the table, and draw the figure if ``--figure`` is given."""
    from tqdm import tqdm

    from limr.report.early_stopping_page import document
    from limr.selection.early_stopping import early_stopping
    from limr.trajectories import visit_matrix

    settings = method_arguments.method_settings("lim", options.option)
    output_arguments.check_figure(options.figure)
    trajectories = source_arguments.read(options).trajectories
    lim = method_arguments.with_known_signal("early", {"lim": settings}, trajectories)["lim"]["options"]
    total = visit_matrix(trajectories, lim.get("signal", "reward")).values.shape[1]
    with tqdm(total=total, unit=" visits", disable=None) as bar:  # disable=None: only on a terminal
        found = early_stopping(
            trajectories,
            **lim,
            share=options.top,
            theta=options.theta,
            resamples=options.resamples,
            seed=options.seed,
            progress=bar.update,
        )
    if options.figure:
        from limr.report.early_stopping_figure import draw_early_stopping

        draw_early_stopping(found, Path(options.figure))
    sys.stdout.write(found.rows.write_csv(float_precision=6) if options.csv else document(found))
