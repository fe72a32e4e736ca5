"""``limr select``: write the selected prompts, as in the log or as rows of the user's own data set."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limr.cli import arguments, method_arguments, output_arguments
from limr.cli.files_of_command import Files, input_file, output_file
from limr.errors import Setting, UsageError, counted

if TYPE_CHECKING:
    import polars as pl

_DESCRIPTION = f"""\
Write the selected prompts of SCORES to FILE, one row per prompt. SCORES is the output of `limr score` (*.parquet,
*.jsonl, or - for standard input). --keep selects again; without it, the selection of `limr score` stays.

  without --prompts   prompt_id, prompt, answer, score: the prompts as in the log, best first
  with --prompts      the rows of your own data set (*.jsonl, *.json, *.csv, *.parquet) with all their columns, in their
                      order. A prompt is found by its prompt_id, by its text (white space does not count), or by its
                      text without the instruction that training put around every prompt. If a selected prompt is not
                      found, or two different rows fit it, nothing is written, unless --skip-missing is given.

{method_arguments.KEEP}"""

_EXAMPLES = """\
examples:
  $ limr select scores.parquet -o subset.jsonl
  $ limr select scores.parquet --keep theta=0.6 --prompts train.parquet -o subset.parquet
  $ limr select scores.parquet --prompts data.jsonl --column prompt=question -o - | wc -l
  $ limr select scores.parquet --prompts data.csv --column prompt_id=index -o subset.jsonl

Exit status: 0 done, 1 a file is wrong or a prompt is not found, 2 wrong usage."""


def add_to(subcommands: Any) -> None:
    """Add this subcommand to ``limr``."""
    parser = arguments.add_parser(subcommands, "select", "write the selected prompts", _DESCRIPTION, _EXAMPLES)
    parser.add_argument("scores", metavar="SCORES", help="the output of `limr score`")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        required=True,
        help="*.jsonl, *.parquet, or - for JSON Lines on standard output",
    )
    method_arguments.add_keep(parser, default=None, shown_default="the selection of `limr score`")
    parser.add_argument("--prompts", metavar="FILE", help="your own data set: the selected rows are written")
    arguments.add_columns(parser, "prompt", "prompt_id")
    parser.add_argument(
        "--skip-missing", action="store_true", help="if some prompts are not found in the data set, write the others"
    )
    parser.set_defaults(run=run, files=files)


def files(options: argparse.Namespace) -> Files:
    """SCORES with the prompts beside them, and the data set; the selected prompts."""
    from limr.selection.scores_file import companion_file

    inputs = [input_file("SCORES", options.scores)]
    if Path(options.scores).suffix:  # not standard input
        prompts = companion_file(options.scores, "prompts.parquet")
        inputs.append(input_file("the prompts beside SCORES", str(prompts)))
    if options.prompts is not None:
        inputs.append(input_file("`--prompts`", options.prompts))
    return inputs, output_file(options.output)


def run(options: argparse.Namespace) -> None:
    """Select, find the rows, write them, and print a summary."""
    from limr.selection.scores_file import choose_again, read_scores, selection_summary

    columns = arguments.columns(options, "prompt", "prompt_id")
    output_arguments.check_output(options.output, ".parquet", ".jsonl")
    if options.prompts is None and (columns or options.skip_missing):
        given = Setting("column") if columns else Setting("skip_missing")
        raise UsageError(
            [given, " needs a data set"], advice=["Name the data set with ", Setting("prompts", "FILE"), "."]
        )
    scores = read_scores(options.scores)
    if options.keep is not None:
        scores = choose_again(scores, options.keep)
    prompts = _logged_prompts(options.scores, scores)
    if options.prompts is None:
        _write_of_log(scores, prompts, options.output)
    else:
        _write_of_data_set(scores, prompts, columns, options)
    arguments.note("select", *selection_summary(scores))


def _logged_prompts(file: str, scores: "pl.DataFrame") -> "pl.DataFrame":
    """The prompts of the log, which `limr score` wrote beside the scores. Without that file: only the prompt ids."""
    from limr.files.contracts import read_parquet
    from limr.selection.scores_file import companion_file
    from limr.subsets.subset_of_log import log_prompts

    kept = companion_file(file, "prompts.parquet")
    if kept.exists():
        return read_parquet(kept, "log_prompts")
    return log_prompts(None, scores["prompt_id"].to_list())


def _write_of_log(scores: "pl.DataFrame", prompts: "pl.DataFrame", output: str) -> None:
    from limr.files.atomic import whole_file
    from limr.files.rows import write_rows
    from limr.subsets.subset_of_log import subset_of_log

    if prompts["prompt"].null_count() == len(prompts):
        arguments.note(
            "select",
            ["the texts of the prompts are not known, so only ids are written; to write rows of a data set, add ",
             Setting("prompts", "FILE")],
        )  # fmt: skip
    subset = subset_of_log(scores, prompts)
    if Path(output).suffix == ".parquet":
        with whole_file(output) as temporary:
            subset.write_parquet(temporary)
    else:
        write_rows(subset.iter_rows(named=True), output)


def _write_of_data_set(
    scores: "pl.DataFrame", prompts: "pl.DataFrame", columns: dict[str, str], options: argparse.Namespace
) -> None:
    from limr.subsets.data_set import read_data_set, write_some
    from limr.subsets.subset_of_data_set import subset_of_data_set

    data_set = read_data_set(options.prompts)
    selected = scores.filter("selected")["prompt_id"].to_list()
    logged = dict(prompts.drop_nulls("prompt").select("prompt_id", "prompt").iter_rows())
    subset = subset_of_data_set(selected, logged, data_set, columns)
    if subset.missing and not options.skip_missing:
        subset.missing.advice = [*subset.missing.advice, " To write the other rows, add ", Setting("skip_missing"), "."]
        raise subset.missing
    write_some(data_set, subset.rows, options.output)
    if subset.missing:
        arguments.note("select", subset.missing)
    rows, total = len(subset.rows), len(data_set.rows)
    arguments.note("select", f"{rows:,} of {counted(total, 'row')} of {options.prompts} written", *subset.summary())
