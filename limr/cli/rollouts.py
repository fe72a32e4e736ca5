"""``limr rollouts``: any framework's log as this project's rollouts."""

import argparse
import re
from pathlib import Path
from typing import Any

from limr.cli import arguments
from limr.errors import UsageError

_SHARD = re.compile(r"rollouts_\d+\.parquet")  # as limr.logs.convert calls them

_DESCRIPTION = f"""\
Write the rollouts of SOURCE as this project's own contract has them: Parquet files with one row a rollout (prompt_id,
visit, sample, step, reward, correct, response, ...). What SOURCE takes a minute to say, these say in a second; every
command reads the folder as it reads the log.

{arguments.SOURCES}"""

_EXAMPLE = """\
example:
  $ limr rollouts rollouts/ -o converted/
  $ limr score converted/ -o scores.parquet

FOLDER is replaced whole if it is there and holds such rollouts alone. Columns: limr/files/schemas/rollouts.schema.json.
Exit status: 0 done, 1 a file is wrong, 2 wrong usage."""


def add_to(subcommands: Any) -> None:
    """Add this subcommand to those of ``limr``."""
    parser = arguments.add_parser(
        subcommands, "rollouts", "write any log as this project's rollouts", _DESCRIPTION, _EXAMPLE
    )
    arguments.add_source(parser, visits=False)
    parser.add_argument("-o", "--output", metavar="FOLDER", required=True, help="folder of the Parquet files")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Convert, and say what came out."""
    said = arguments.log_options(options)
    _refuse_other_folders(Path(options.output), Path(options.source))
    arguments.refuse_parent(options.output)
    from limr.logs.convert import convert

    log, visits = convert(options.source, options.output, said)
    used = int((visits.visit >= 0).sum())
    of = f"of {len(log.prompts):,} prompts, from {len(log.files):,} files ({log.format})"
    left_out = f"; {len(log) - used:,} of no visit left out" if used < len(log) else ""
    arguments.say("rollouts", f"{options.output}: {used:,} rollouts {of}{left_out}")


def _refuse_other_folders(folder: Path, source: Path) -> None:
    """Replacing the folder is not to take anything with it but such rollouts, and SOURCE is to stay as it is."""
    if folder.is_file():
        raise UsageError(f"{folder}: it is a file; expected a new folder")
    if folder.resolve() == source.resolve():
        raise UsageError(f"{folder}: SOURCE itself; its rollouts are written to another folder")
    if source.resolve() in folder.resolve().parents or folder.resolve() in source.resolve().parents:
        raise UsageError(f"{folder}: is within SOURCE, or SOURCE in it; expected a folder beside it")
    others = [path for path in folder.iterdir() if not _SHARD.fullmatch(path.name)] if folder.is_dir() else []
    if others:
        raise UsageError(
            f"{folder}: found {others[0].name} in it; expected a new folder, or one that holds nothing but what this"
            " command wrote (rollouts_00000.parquet, ...): it is replaced"
        )
