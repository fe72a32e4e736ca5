"""The audit of a source (its numbers and findings) as a page, as JSON and as lines for the terminal."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from limr.errors import MethodOption, Words, counted
from limr.files.atomic import write_json, write_text
from limr.files.markdown import markdown_code, markdown_rows, markdown_text
from limr.logs.findings import NAMED, Finding, FindingKind
from limr.logs.steps import describe_steps

_LISTED_FILES = 10


@dataclass
class Audit:
    """The numbers of a source, and which visits count. ``findings`` lists what the user should check, the worst first.

    ``visits_of_prompt`` and ``samples_of_visit`` are (lowest, most common, highest). ``visits`` is the number of visits
    that count, ``whole`` the number of prompts that have all of them, ``whole_with_next`` the same with
    ``missing: next``, and ``missing`` the number of visits that prompts lack. ``dropped`` maps a reason to the number
    of prompts that it drops, ``dropped_named`` to a few of them.

    ``rewards`` are (lowest, highest): of rollouts, or of visits (``means``) where the rollouts are not known.
    ``kinds_of_reward`` lists the distinct rewards, if there are few. ``left_out`` maps each file that was not read to
    the reason.
    """

    source: str
    format: str
    files: int
    prompts: int
    points: int
    rollouts: int
    visits_of_prompt: tuple[int, int, int]
    samples_of_visit: tuple[int, int, int]
    accuracy: str
    rewards: tuple[float, float] | None = None
    kinds_of_reward: list[float] | None = None
    means: bool = False
    visits: int = 0
    whole: int = 0
    whole_with_next: int = 0
    missing: int = 0
    partial: int = 0
    duplicate: int = 0
    merged: int = 0
    not_used: int = 0
    steps: str = ""
    missing_steps: list[int] = field(default_factory=list)
    replayed_steps: list[int] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    dropped_named: dict[str, list[str]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def summary(self, words: Words = Words.CONFIGURATION) -> list[str]:
        """The audit in a few lines: two with numbers, and one for each finding but that about files left out."""
        return [
            f"{self.format}: {self.prompts:,} prompts, {_three(self.visits_of_prompt)} visits each,"
            f" {_three(self.samples_of_visit)} samples a visit, {self.rollouts:,} rollouts",
            f"visits that count: the first {self.visits:,}, which {self.whole:,} of {self.prompts:,} prompts have",
            *(f"check: {finding.render(words)}" for finding in self.findings if finding.kind != FindingKind.LEFT_OUT),
        ]

    def markdown(self, words: Words = Words.CONFIGURATION) -> str:
        """The page: the findings, then the numbers, then why prompts are dropped and which files were not read."""
        sections = ["# Audit", markdown_code(self.source), self._findings(words), markdown_rows(["", ""], self._rows())]
        if self.dropped:
            sections += ["## Prompts without a complete curve", *self._dropped(words)]
        if self.left_out:
            files = [f"- {markdown_text(f'{file}: {reason}')}" for file, reason in sorted(self.left_out.items())]
            more = len(files) - _LISTED_FILES
            listed = files[:_LISTED_FILES] + ([f"- and {more:,} more"] if more > 0 else [])
            sections += ["## Files that were not read", "\n".join(listed)]
        return "\n\n".join(sections) + "\n"

    def write(self, stem: str | Path) -> None:
        """Write ``<stem>.audit.md`` and ``<stem>.audit.json``."""
        write_text(f"{stem}.audit.md", self.markdown())
        findings = [
            {
                "kind": finding.kind,
                "text": finding.render(),
                "number": finding.number,
                "steps": list(finding.steps),
                "examples": list(finding.examples),
            }
            for finding in self.findings
        ]
        write_json(f"{stem}.audit.json", asdict(replace(self, findings=[])) | {"findings": findings})

    def _findings(self, words: Words) -> str:
        if not self.findings:
            return "Nothing to check: no visit is missing, partial or duplicate."
        return "\n".join(
            ["**Check this:**", "", *(f"- {markdown_text(finding.render(words))}" for finding in self.findings)]
        )

    def _rows(self) -> list[tuple[str, str]]:
        rows = [
            ("format", f"{self.format}, {counted(self.files, 'file')}"),
            ("prompts", f"{self.prompts:,}"),
            ("rollouts", f"{self.rollouts:,}" + (f", and {self.not_used:,} not used" if self.not_used else "")),
            ("visits a prompt", _three(self.visits_of_prompt)),
            ("samples a visit", _three(self.samples_of_visit)),
            ("steps", self.steps),
            ("visits that count", f"the first {self.visits:,}; {self.whole:,} prompts have all of them"),
            ("missing visits", f"{self.missing:,}"),
            ("partial visits", f"{self.partial:,}"),
            ("duplicate visits", f"{self.duplicate:,}"),
            ("visits merged within an epoch", f"{self.merged:,}" if self.merged else ""),
            ("missing steps", describe_steps(self.missing_steps)),
            ("replayed steps", describe_steps(self.replayed_steps)),
            ("rewards", self._rewards()),
            ("accuracies", self.accuracy),
        ]
        return [(name, value) for name, value in rows if value]

    def _rewards(self) -> str:
        if self.rewards is None:
            return "not known"
        if self.kinds_of_reward is not None:
            return ", ".join(f"{reward:g}" for reward in self.kinds_of_reward)
        return f"{self.rewards[0]:g} to {self.rewards[1]:g}" + (" (means of visits)" if self.means else "")

    def _dropped(self, words: Words) -> list[str]:
        rows = [
            (reason, count, ", ".join(self.dropped_named[reason]) + (", ..." if count > NAMED else ""))
            for reason, count in self.dropped.items()
        ]
        return [
            markdown_rows(["reason", "prompts", "which"], rows),
            f"LIM gives these prompts no score. {self.whole_with_next - self.whole:,} of them get a score with"
            f" {MethodOption('missing', 'next').write(words)}, which replaces a missing visit by the next one.",
        ]


def _three(spread: tuple[int, int, int]) -> str:
    lowest, usual, highest = (f"{number:,}" for number in spread)
    return usual if lowest == highest else f"{usual} (from {lowest} to {highest})"
