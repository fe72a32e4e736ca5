"""``limr early``: how early the probe could have been stopped."""

import argparse
import sys
from pathlib import Path
from typing import Any

from limr.cli import arguments

_DESCRIPTION = f"""\
How early could the run that made SOURCE have been stopped, if all it was for is LIM's selection? LIM as it would have
been after the first 1, 2, 3 ... visits of each prompt, against LIM after all of them, and against LIM of the later
visits alone: overlap of the best prompts and rank correlation, with bootstrap intervals. A table, Markdown on standard
output, which begins with the answer.

{arguments.SOURCES}"""

_EXAMPLE = """\
examples:
  $ limr early rollouts/ --figure early.png
  $ limr early rollouts/ --theta 0.6 --csv > early.csv

Exit status: 0 done, 1 a file is wrong, 2 wrong usage."""


def add_to(subcommands: Any) -> None:
    """Add this subcommand to those of ``limr``."""
    parser = arguments.add_parser(
        subcommands, "early", "say how early the probe could have stopped", _DESCRIPTION, _EXAMPLE
    )
    arguments.add_source(parser)
    arguments.add_top(parser)
    parser.add_argument(
        "--theta", metavar="SCORE", type=float, help="also compare the prompts that score at least this"
    )
    parser.add_argument(
        "--option",
        metavar="NAME=VALUE",
        type=arguments.name_and_value,
        action="append",
        default=[],
        help="an option of LIM: signal=accuracy, missing=next, best_reward=...",
    )
    parser.add_argument(
        "--resamples", metavar="N", type=arguments.positive, default=200, help="of the bootstrap; default: 200"
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of the bootstrap; default: 0")
    parser.add_argument("--csv", action="store_true", help="the rows as CSV instead of Markdown")
    arguments.add_figure(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print the table, and draw the figure where one is asked for."""
    from tqdm import tqdm

    from limr.selection.early_stopping import early_stopping
    from limr.trajectories import visit_matrix

    settings = arguments.settings("lim", options.option)
    arguments.check_figure(options.figure)
    trajectories = arguments.read(options).trajectories
    lim = arguments.with_known_signals("early", {"lim": settings}, trajectories)["lim"]["options"]
    total = visit_matrix(trajectories, lim.get("signal", "reward")).values.shape[1]
    with tqdm(total=total, unit=" visits", disable=None) as bar:
        found = early_stopping(
            trajectories,
            **lim,
            share=options.top,
            theta=options.theta,
            resamples=options.resamples,
            seed=options.seed,
            progress=bar.update,
        )
    from limr.report.early_stopping_page import document, draw_early_stopping

    if options.figure:
        draw_early_stopping(found, Path(options.figure))
    sys.stdout.write(found.rows.write_csv(float_precision=6) if options.csv else document(found))
