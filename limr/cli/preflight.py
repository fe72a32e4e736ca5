"""``limr preflight``: whether this machine has all that a run on GPUs needs."""

import argparse
import sys
from typing import Any

from limr.errors import LimrError

_DESCRIPTION = """\
Look at everything that a run on GPUs needs, in seconds and before it starts: packages and their versions, OpenRLHF's
arguments through its own parser, GPUs and their memory, the machine's memory, disk, the base model, the data, and the
grader on every gold answer. What is missing is listed, all of it, with what to do. Nothing is trained.

CONFIG is what `snakemake --configfile` is given: several files are laid over each other, in their order.
The workflow makes the same checks as its first stage."""

_EXAMPLE = """\
example:
  $ limr preflight config/paper.yaml
  $ limr preflight config/paper.yaml config/qwen2.5-math-1.5b_1gpu.yaml

docs/paper_run.md says what a run takes. Exit status: 0 all is there, 1 something is not, 2 wrong usage."""


def add_to(subcommands: Any) -> None:
    """Add this subcommand to those of ``limr``."""
    parser = subcommands.add_parser(
        "preflight",
        help="look at all that a run on GPUs needs, before it starts",
        description=_DESCRIPTION,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("config", metavar="CONFIG", nargs="+", help="configuration, e.g. config/paper.yaml")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print what was found. Raises LimrError when something is in the way of the run."""
    from limr.configuration.check import check_configuration, uses_gpus
    from limr.jobs.snakemake_api import load_configuration
    from limr.preflight import preflight

    configuration = load_configuration(options.config)
    check_configuration(configuration)
    if not uses_gpus(configuration):
        print("nothing of this configuration runs on GPUs: nothing to look at before it starts")
        return
    findings = preflight(configuration)
    for finding in findings:
        print(f"{'ok   ' if finding.good else 'WRONG'} {finding.about}: {finding.text}")
    sys.stdout.flush()
    if wrong := sum(not finding.good for finding in findings):
        raise LimrError(f"preflight: {wrong} in the way of this run, the lines above that begin with WRONG")
