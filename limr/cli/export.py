"""``limr export``: write a subset in the form that a training framework reads."""

import argparse
from typing import Any

from limr.cli import arguments, output_arguments
from limr.cli.files_of_command import Files, input_file, output_file
from limr.errors import LimrError, UsageError, counted

FRAMEWORKS = ("openrlhf", "verl", "trl")  # as in limr.subsets.trainer_files, which --help does not import

_DESCRIPTION = """\
Write SUBSET in the form that a training framework reads. SUBSET is the output of `limr select`, or any table of prompts
and answers (*.jsonl, *.json, *.csv, *.parquet, or - for JSON Lines on standard input). Prompts are text or lists of
messages. Rows keep their order. The file is read back as the framework's loader reads it before it gets its final name.

  openrlhf  JSON Lines: prompt, label                        (--data.input_key prompt --data.label_key label)
  verl      Parquet: data_source, prompt (messages), ability, reward_model {style, ground_truth}, extra_info
  trl       JSON Lines: prompt (messages, or text with --plain), solution ($...$, as accuracy_reward finds it), answer

The rows of your own data set (`limr select --prompts DATA_SET`) already have the form of your framework; they need no
export."""

_EXAMPLES = """\
examples:
  $ limr export subset.jsonl --to trl -o train.jsonl
  $ limr export subset.jsonl --to openrlhf --instruction 'Put your final answer in \\boxed{}.' -o train.jsonl
  $ limr export subset.jsonl --to verl --data-source lighteval/MATH -o train.parquet
  $ limr select scores.parquet -o - | limr export - --to trl -o -        in a pipe

Exit status: 0 done, 1 a file is wrong, 2 wrong usage."""


def add_to(subcommands: Any) -> None:
    """Add this subcommand to ``limr``."""
    parser = arguments.add_parser(
        subcommands, "export", "write a subset in the form that a trainer reads", _DESCRIPTION, _EXAMPLES
    )
    parser.add_argument("subset", metavar="SUBSET", help="prompts and answers, one row per prompt")
    parser.add_argument("--to", choices=FRAMEWORKS, required=True, help="the training framework")
    parser.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="*.jsonl (or - for standard output); verl: *.parquet"
    )
    parser.add_argument("--system", metavar="TEXT", help="a system message before every prompt; default: none")
    parser.add_argument(
        "--instruction", metavar="TEXT", help="text after every prompt, on a separate line; default: none"
    )
    parser.add_argument("--plain", action="store_true", help="prompts as text, for base models without a chat template")
    parser.add_argument(
        "--data-source",
        metavar="NAME",
        help="verl: the name that selects the reward function; default: the rows' data_source",
    )
    arguments.add_columns(parser, "prompt", "answer")
    parser.set_defaults(run=run, files=files)


def files(options: argparse.Namespace) -> Files:
    """SUBSET and the trainer's file."""
    return [input_file("SUBSET", options.subset)], output_file(options.output)


def run(options: argparse.Namespace) -> None:
    """Write the file, and print the arguments that make the framework read it."""
    from limr.subsets.data_set import read_data_set
    from limr.subsets.trainer_files import ExportOptions, check_export, export

    columns = arguments.columns(options, "prompt", "answer")
    export_options = ExportOptions(options.system, options.instruction, options.plain, options.data_source)
    try:
        check_export(options.to, options.output, export_options)
    except LimrError as error:
        raise UsageError.of(error) from error
    output_arguments.check_output(options.output, ".parquet", ".jsonl")
    data_set = read_data_set(options.subset)
    usage = export(data_set, options.to, options.output, export_options, columns)
    arguments.note("export", f"{options.output}: {counted(len(data_set.rows), 'prompt')} for {options.to}: {usage}")
