"""Pre-flight: check in seconds, before GPU-days are spent, that this machine has everything a run on GPUs needs.

Every check runs, even if others find problems. A check yields text for everything that it confirms and a LimrError for
each problem; it may also raise one. Nothing is trained and no GPU is used: the checks estimate the needs of a run
(``limr.preflight.estimates``) and query ``nvidia-smi`` and the operating system for the machine's resources.
"""

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from limr.data.hub import no_waiting
from limr.errors import LimrError, ProblemsError, counted
from limr.files.markdown import markdown_rows
from limr.preflight import inputs, machine, software, toolkit
from limr.preflight.facts import Facts
from limr.preflight.finding import Finding, Found

CHECKS: dict[str, Callable[[Facts], Iterable[Found]]] = {
    "packages": software.packages,
    "OpenRLHF's arguments": software.arguments,
    "GPUs": machine.gpus,
    "CUDA": toolkit.cuda,
    "memory of a GPU": machine.gpu_memory,
    "memory": machine.machine_memory,
    "disk": machine.disks,
    "base model": inputs.base_model,
    "data and grader": inputs.data,
    "solutions": inputs.solutions,
}


def preflight(configuration: Mapping[str, Any]) -> list[Finding]:
    """The findings of all checks. ``configuration`` has passed ``limr.configuration.check.check_configuration``."""
    facts = Facts(configuration)
    with no_waiting():
        return [finding for about, check in CHECKS.items() for finding in _findings(about, check, facts)]


def _findings(about: str, check: Callable[[Facts], Iterable[Found]], facts: Facts) -> Iterable[Finding]:
    try:
        for found in check(facts):
            yield Finding(about, found)
    except LimrError as error:
        yield Finding(about, error)
    except OSError as error:  # e.g. a folder without permission to read it
        yield Finding(about, LimrError(error.strerror or type(error).__name__, where=error.filename))


def refuse_problems(findings: Iterable[Finding]) -> None:
    """Raise ProblemsError with all problems, if there are any."""
    problems = [
        copy.copy(finding.found).inside(finding.about) for finding in findings if isinstance(finding.found, LimrError)
    ]
    if problems:
        raise ProblemsError(f"pre-flight: {counted(len(problems), 'problem')} found", problems)


def report(findings: Iterable[Finding]) -> str:
    """The findings as Markdown."""
    rows = [("ok" if finding.good else "problem", finding.about, finding.text) for finding in findings]
    return f"# Pre-flight\n\n{markdown_rows(['', 'check', 'found'], rows)}\n"
