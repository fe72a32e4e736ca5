"""Pre-flight: whether this machine has all that a run on GPUs needs, found out in seconds, before GPU-days are spent.

Each check says what it found, or what is wrong and what to do about it; all are made, whatever the others say. Nothing
is trained, and no GPU is touched: what a run needs is estimated (``limr.preflight.estimates``), what there is is asked
of ``nvidia-smi`` and the operating system.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from limr.data.hub import no_waiting
from limr.errors import LimrError
from limr.preflight import inputs, machine, software, toolkit
from limr.preflight.facts import Facts, Problem

CHECKS: dict[str, Callable[[Facts], Iterable[str]]] = {
    "packages": software.packages,
    "OpenRLHF's arguments": software.arguments,
    "GPUs": machine.gpus,
    "CUDA": toolkit.cuda,
    "memory of a GPU": machine.gpu_memory,
    "memory": machine.machine_memory,
    "disk": machine.disks,
    "base model": inputs.base_model,
    "data and grader": inputs.data,
}


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    about: str
    good: bool
    text: str


def preflight(configuration: Mapping[str, Any]) -> list[Finding]:
    """What all checks found; ``configuration`` has passed ``limr.configuration.check.check_configuration``."""
    facts = Facts(configuration)
    with no_waiting():
        return [finding for about, check in CHECKS.items() for finding in _findings(about, check, facts)]


def _findings(about: str, check: Callable[[Facts], Iterable[str]], facts: Facts) -> Iterable[Finding]:
    try:
        for text in check(facts):
            yield Finding(about, not isinstance(text, Problem), str(text))
    except (LimrError, OSError) as error:  # the second: a folder that may not be looked into
        yield Finding(about, False, str(error))


def refuse_failures(findings: Iterable[Finding]) -> None:
    """Raise LimrError listing everything that is wrong, if something is."""
    wrong = [f"{finding.about}: {finding.text}" for finding in findings if not finding.good]
    if wrong:
        raise LimrError("\n  ".join([f"pre-flight: {len(wrong)} in the way of this run:", *wrong]))


def report(findings: Iterable[Finding]) -> str:
    """The findings as Markdown."""
    rows = [f"| {'ok' if finding.good else 'WRONG'} | {finding.about} | {finding.text} |" for finding in findings]
    return "\n".join(["# Pre-flight", "", "|  | about | found |", "|---|---|---|", *rows, ""])
