"""``limr preflight``: does this machine have everything that a run on GPUs needs?"""

import argparse
import sys
from typing import Any

from limr.cli import arguments
from limr.cli.files_of_command import Files, input_file
from limr.errors import LimrError, counted

_DESCRIPTION = """\
Check in seconds, before a run on GPUs starts, everything that it needs: packages and their versions, OpenRLHF's
arguments with OpenRLHF's own parser, GPUs and their memory, the machine's memory, disk, the base model, the data, and
the grader on every gold answer. All problems are listed, each with advice. Nothing is trained.

CONFIG are the files of `snakemake --configfile`; later files override earlier ones. The first stage of the workflow
makes the same checks."""

_EXAMPLES = """\
examples:
  $ limr preflight config/paper.yaml
  $ limr preflight config/paper.yaml config/qwen2.5-math-1.5b_1gpu.yaml

docs/paper_run.md lists what a run needs. Exit status: 0 no problem found, 1 at least one problem, 2 wrong usage."""


def add_to(subcommands: Any) -> None:
    """Add this subcommand to ``limr``."""
    parser = arguments.add_parser(
        subcommands, "preflight", "check what a run on GPUs needs, before it starts", _DESCRIPTION, _EXAMPLES
    )
    parser.add_argument("config", metavar="CONFIG", nargs="+", help="a configuration, e.g. config/paper.yaml")
    parser.set_defaults(run=run, files=files)


def files(options: argparse.Namespace) -> Files:
    """The configuration files; the findings go to standard output."""
    return [input_file("CONFIG", file) for file in options.config], []


def run(options: argparse.Namespace) -> None:
    """Print the findings. Raises LimrError if there is a problem."""
    from limr.configuration.check import check_configuration, uses_gpus
    from limr.configuration.config_files import check_files
    from limr.jobs.snakemake_api import load_configuration
    from limr.preflight import preflight

    configuration = load_configuration(options.config)
    check_files(options.config)
    check_configuration(configuration)
    if not uses_gpus(configuration):
        print("This configuration uses no GPUs: there is nothing to check.")
        return
    findings = preflight(configuration)
    for finding in findings:
        print(f"{'ok' if finding.good else 'problem':<7} {finding.about}: {finding.text}")
    sys.stdout.flush()
    if problems := sum(not finding.good for finding in findings):
        raise LimrError(f"{counted(problems, 'problem')} found", where="preflight")
