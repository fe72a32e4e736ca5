"""``limr rollouts``: convert the log of any framework to this project's rollouts."""

import argparse
import re
from pathlib import Path
from typing import Any

from limr.cli import arguments, output_arguments, source_arguments
from limr.cli.files_of_command import Files
from limr.errors import UsageError, counted

_SHARD = re.compile(r"rollouts_\d+\.parquet")  # the files that limr.logs.convert writes

_DESCRIPTION = f"""\
Convert the rollouts of SOURCE to this project's own files: Parquet with one row per rollout (prompt_id, visit, sample,
step, reward, correct, response, ...). Every command reads this folder as it reads the log, in seconds instead of a
minute.

{source_arguments.SOURCES}"""

_EXAMPLES = """\
examples:
  $ limr rollouts rollouts/ -o converted/
  $ limr score converted/ -o scores.parquet

The command replaces FOLDER as a whole. If FOLDER holds any other files, the command stops with an error.
limr/files/schemas/rollouts.schema.json describes the columns. Exit status: 0 done, 1 a file is wrong, 2 wrong usage."""


def add_to(subcommands: Any) -> None:
    """Add this subcommand to ``limr``."""
    parser = arguments.add_parser(
        subcommands, "rollouts", "convert any log to this project's rollouts", _DESCRIPTION, _EXAMPLES
    )
    source_arguments.add_source(parser, visits=False)
    parser.add_argument("-o", "--output", metavar="FOLDER", required=True, help="folder for the Parquet files")
    parser.set_defaults(run=run, files=files)


def files(options: argparse.Namespace) -> Files:
    """SOURCE, and the folder that is replaced as a whole."""
    from limr.files.overwrites import Output
    from limr.logs.convert import A_SHARD

    return [source_arguments.source(options)], [Output("the folder", Path(options.output), holds=A_SHARD)]


def run(options: argparse.Namespace) -> None:
    """Convert the log, and print the number of rollouts written."""
    about = source_arguments.log_options(options)
    _check_folder(Path(options.output))
    output_arguments.check_parent(options.output)
    from limr.logs.convert import convert
    from limr.logs.log_audit import about_left_out

    log, visits = convert(options.source, options.output, about)
    unread = {file: log.left_out[file] for file in log.on_purpose}
    source_arguments.note_findings("rollouts", about_left_out(options.source, unread))
    used = int((visits.visit >= 0).sum())
    origin = f"of {counted(len(log.prompts), 'prompt')}, from {counted(len(log.files), 'file')} ({log.format})"
    left_out = f"; {counted(len(log) - used, 'rollout')} without a visit left out" if used < len(log) else ""
    arguments.note("rollouts", f"{options.output}: {counted(used, 'rollout')} {origin}{left_out}")


def _check_folder(folder: Path) -> None:
    """Raise UsageError if replacing ``folder`` would delete other files."""
    if folder.is_file():
        raise UsageError(where=folder, found="a file", expected="a folder")
    others = [path for path in folder.iterdir() if not _SHARD.fullmatch(path.name)] if folder.is_dir() else []
    if others:
        raise UsageError(
            where=folder,
            found=others[0].name,
            expected="a new folder, or one with files of this command only (rollouts_00000.parquet, ...)",
            advice="The folder is replaced, and its files would be lost.",
        )
