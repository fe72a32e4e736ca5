"""``limr score``: score every prompt of a training run."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limr.cli import arguments, method_arguments, output_arguments, source_arguments
from limr.cli.files_of_command import STANDARD, Files, figure_file, output_file
from limr.errors import Words

if TYPE_CHECKING:
    import polars as pl

_DESCRIPTION = f"""\
Score every prompt of SOURCE by how much it taught the model, and select the best prompts. FILE gets one row per prompt:
method, prompt_id, score, rank, selected, reason (why the prompt is not selected). Beside a FILE scores.parquet,
`limr score` also writes
  scores.audit.md, .json    audit of SOURCE: missing and duplicate visits, dropped prompts and the reasons
  scores.prompts.parquet    the prompts of the log: prompt_id, prompt, answer
Standard error shows how many prompts are selected, and how many prompts other thetas would select.

{source_arguments.SOURCES}

{method_arguments.KEEP}

methods: {method_arguments.METHODS}"""

_BESIDE = ("prompts.parquet", "audit.md", "audit.json")

_EXAMPLES = """\
examples:
  $ limr score rollouts/ -o scores.parquet                      LIM of the rewards, the best 16.3 %, as in the paper
  $ limr score rollouts/ -o scores.parquet --option signal=accuracy --keep top=1000 --figure scores.png
  $ limr score rollouts/ -o band.parquet --method pass_rate_band --option lowest=0.3 --keep theta=0
  $ limr score table.csv -o scores.parquet --column prompt=question --column reward=score
  $ limr score rollouts/ -o - | grep '"selected": true'         in a pipe

`limr select` selects again from the same scores. docs/methods.md explains the methods and their options. --figure needs
matplotlib: pip install 'limr[figures]'.
Exit status: 0 done, 1 a file is wrong or cannot be scored, 2 wrong usage."""


def add_to(subcommands: Any) -> None:
    """Add this subcommand to ``limr``."""
    parser = arguments.add_parser(subcommands, "score", "score the prompts of a training run", _DESCRIPTION, _EXAMPLES)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        required=True,
        help="*.parquet, *.jsonl, or - for JSON Lines on standard output",
    )
    source_arguments.add_source(parser)
    method_arguments.add_method(parser)
    arguments.add_seed(parser, "seed of the methods that draw at random, and of the order of prompts that tie")
    share = method_arguments.PAPER_SHARE
    method_arguments.add_keep(parser, default={"share": share}, shown_default=f"share={share}, as in the paper")
    output_arguments.add_figure(parser)
    parser.set_defaults(run=run, files=files)


def files(options: argparse.Namespace) -> Files:
    """SOURCE; the scores, the files beside them and the figure."""
    from limr.selection.scores_file import companion_file

    outputs = [*output_file(options.output), *figure_file(options.figure)]
    if Path(options.output).suffix:  # not standard output
        for name in _BESIDE:
            outputs += output_file(str(companion_file(options.output, name)), "a file beside the output")
    return [source_arguments.source(options)], outputs


def run(options: argparse.Namespace) -> None:
    """Score, write the files, and print a summary."""
    from limr.files.atomic import whole_group
    from limr.files.contracts import write_parquet
    from limr.selection.scores_file import companion_file, write_scores
    from limr.selection.scoring import score_prompts
    from limr.subsets.subset_of_log import log_prompts

    settings = method_arguments.method_settings(options.method, options.option)
    output_arguments.check_output(options.output, ".parquet", ".jsonl")
    if options.output != STANDARD:
        for name in _BESIDE:
            output_arguments.check_file(str(companion_file(options.output, name)))
    output_arguments.check_figure(options.figure)
    source = source_arguments.read(options)
    arguments.note("score", *source.audit.summary(Words.COMMAND_LINE))
    methods = {options.method: settings}
    settings = method_arguments.with_known_signal("score", methods, source.trajectories)[options.method]
    scores = score_prompts(options.method, {**settings, "keep": options.keep}, source.trajectories, None, options.seed)
    if options.output == STANDARD:
        write_scores(scores, STANDARD)
    else:
        prompts = log_prompts(source.prompts, source.trajectories.prompt_ids)
        with whole_group(options.output) as output:
            source.audit.write(output.with_suffix(""))
            write_parquet(prompts, companion_file(str(output), "prompts.parquet"), "log_prompts")
            write_scores(scores, str(output))
    if options.figure:
        from limr.report.selection_figure import draw_selection

        draw_selection(source.trajectories, scores, Path(options.figure))
    arguments.note("score", *_summary(scores))


def _summary(scores: "pl.DataFrame") -> list[str]:
    from limr.files.markdown import percentage
    from limr.selection.scores_file import selection_summary, thetas

    kept = [f"{theta:.3f} keeps {prompts:,} ({percentage(share)})" for theta, prompts, share in thetas(scores).rows()]
    return [*selection_summary(scores), f"theta: {', '.join(kept)}"]
