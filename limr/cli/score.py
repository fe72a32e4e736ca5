"""``limr score``: a score for every prompt of a training run."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limr.cli import arguments

if TYPE_CHECKING:
    import polars as pl

_DESCRIPTION = f"""\
Score the prompts of SOURCE by how much they taught the model, and select the best. FILE gets one row a prompt: method,
prompt_id, score, rank, selected, reason (why it was left out). Beside FILE, if that is scores.parquet, are written
  scores.audit.md, .json    what was read; what was missing, doubled or dropped, and why
  scores.prompts.parquet    the log's prompts: prompt_id, prompt, answer
On standard error: how many are selected, and how many some thetas would select.

{arguments.SOURCES}

{arguments.KEEP}

methods: {arguments.METHODS}"""

_EXAMPLE = """\
examples:
  $ limr score rollouts/ -o scores.parquet                      LIM of the rewards, the best 16.3 %, as in the paper
  $ limr score rollouts/ -o scores.parquet --option signal=accuracy --keep top=1000 --figure scores.png
  $ limr score rollouts/ -o band.parquet --method pass_rate_band --option lowest=0.3 --keep theta=0
  $ limr score table.csv -o scores.parquet --column prompt=question --column reward=score
  $ limr score rollouts/ -o - | grep '"selected": true'         in a pipe

To choose again from the same scores: limr select. Methods and their options: docs/methods.md. Exit status: 0 done, 1 a
file is wrong or cannot be scored, 2 wrong usage."""


def add_to(subcommands: Any) -> None:
    """Add this subcommand to those of ``limr``."""
    parser = arguments.add_parser(subcommands, "score", "score the prompts of a training run", _DESCRIPTION, _EXAMPLE)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        required=True,
        help="*.parquet, *.jsonl, or - for JSON Lines on standard output",
    )
    arguments.add_source(parser)
    arguments.add_method(parser)
    arguments.add_keep(
        parser, default={"share": arguments.PAPER_SHARE}, shown=f"share={arguments.PAPER_SHARE}, the paper's"
    )
    arguments.add_figure(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Score, write, and say what came out."""
    from limr.files.contracts import write_parquet
    from limr.selection.scores_file import beside, write_scores
    from limr.selection.scoring import score_prompts
    from limr.subsets.subset_of_log import log_prompts

    settings = arguments.settings(options.method, options.option)
    arguments.refuse_output(options.output, ".parquet", ".jsonl")
    arguments.check_figure(options.figure)
    source = arguments.read(options)
    arguments.say("score", *(line.replace(" (below)", "") for line in source.audit.summary()))  # no page to look at
    settings = arguments.with_known_signals("score", {options.method: settings}, source.trajectories)[options.method]
    scores = score_prompts(options.method, {**settings, "keep": options.keep}, source.trajectories, None, options.seed)
    write_scores(scores, options.output)
    if options.output != "-":
        source.audit.write(Path(options.output).with_suffix(""))
        prompts = log_prompts(source.prompts, source.trajectories.prompt_ids)
        write_parquet(prompts, beside(options.output, "prompts.parquet"), "log_prompts")
    if options.figure:
        from limr.report.selection_figure import draw_selection

        draw_selection(source.trajectories, scores, Path(options.figure))
    arguments.say("score", *_summary(scores))


def _summary(scores: "pl.DataFrame") -> list[str]:
    from limr.files.markdown import percentage
    from limr.selection.scores_file import selection_summary, thetas

    kept = [f"{theta:.3f} keeps {prompts:,} ({percentage(share)})" for theta, prompts, share in thetas(scores).rows()]
    return [*selection_summary(scores), f"theta: {', '.join(kept)}"]
