"""What was found in somebody's log, what was left out and why: beside every result, in words and as JSON."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from limr.errors import LimrError
from limr.files.atomic import write_json, write_text
from limr.logs.log import Log
from limr.logs.steps import describe_steps
from limr.logs.visits import Visits, named
from limr.trajectories.curves import Trajectories
from limr.trajectories.matrix import known_signals, usual_samples, visit_matrix

_NAMED = 3  # prompts, steps or files of a kind that are named
_KINDS = 5  # of rewards that are listed
_MANY_VISITS = 100  # of which some are all right, or all wrong


@dataclass
class Audit:
    """What a source holds, and what of it counts. ``checks`` are what a person should look at, the worst first.

    ``visits_of_prompt`` and ``samples_of_visit`` are (lowest, most common, highest); ``visits`` the number of visits
    that count, ``whole`` of prompts that have all of them, ``missing`` of visits up to there that prompts lack;
    ``dropped`` says why prompts have no whole curve: reason -> how many, ``dropped_named`` which, for example.
    ``rewards`` are (lowest, highest): of rollouts, or of visits' means (``means``) where only these were looked at.
    """

    source: str
    format: str
    files: int
    prompts: int
    points: int
    rollouts: int
    visits_of_prompt: tuple[int, int, int]
    samples_of_visit: tuple[int, int, int]
    rewards: tuple[float, float] | None
    kinds_of_reward: list[float] | None
    means: bool
    accuracy: str
    visits: int = 0
    whole: int = 0
    whole_with_next: int = 0
    missing: int = 0
    partial: int = 0
    doubled: int = 0
    merged: int = 0
    not_used: int = 0
    steps: str = ""
    missing_steps: list[int] = field(default_factory=list)
    replayed_steps: list[int] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    dropped_named: dict[str, list[str]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)

    def summary(self) -> list[str]:
        """What it comes to, in a few lines."""
        lines = [
            f"{self.format}: {self.prompts:,} prompts, {_three(self.visits_of_prompt)} visits each,"
            f" {_three(self.samples_of_visit)} samples a visit, {self.rollouts:,} rollouts",
            f"visits that count: the first {self.visits:,}, which {self.whole:,} of {self.prompts:,} prompts have",
        ]
        return lines + [f"check: {check}" for check in self.checks]

    def markdown(self) -> str:
        """The whole, as a page: first what to look at, then what there is, then why prompts are dropped."""
        rows = [f"| {name} | {value} |" for name, value in self._rows() if value]
        sections = ["# Audit", f"`{self.source}`", self._verdict(), "\n".join(["| | |", "| --- | --- |", *rows])]
        if self.dropped:
            sections += ["## Prompts without a whole curve", "\n".join(self._dropped_rows())]
        if self.left_out:
            files = [f"- {file}: {reason}" for file, reason in sorted(self.left_out.items())]
            more = [f"- and {len(files) - 10:,} more"] if len(files) > 10 else []
            sections += ["## Files that were not read", "\n".join(files[:10] + more)]
        return "\n\n".join(sections) + "\n"

    def write(self, stem: str | Path) -> None:
        """Write ``<stem>.audit.md`` and ``<stem>.audit.json``."""
        write_text(f"{stem}.audit.md", self.markdown())
        write_json(f"{stem}.audit.json", asdict(self))

    def _verdict(self) -> str:
        if not self.checks:
            return "Nothing to look at: no visit is missing, partial or doubled."
        return "\n".join(["**Look at this:**", "", *(f"- {check}" for check in self.checks)])

    def _rows(self) -> list[tuple[str, str]]:
        return [
            ("format", f"{self.format}, {_count(self.files, 'file')}"),
            ("prompts", f"{self.prompts:,}"),
            ("rollouts", f"{self.rollouts:,}" + (f", and {self.not_used:,} not used" if self.not_used else "")),
            ("visits a prompt", _three(self.visits_of_prompt)),
            ("samples a visit", _three(self.samples_of_visit)),
            ("steps", self.steps),
            ("visits that count", f"the first {self.visits:,}; {self.whole:,} prompts have all of them"),
            ("missing visits", f"{self.missing:,}"),
            ("partial visits", f"{self.partial:,}"),
            ("doubled visits", f"{self.doubled:,}"),
            ("visits of two meetings in one epoch", f"{self.merged:,}" if self.merged else ""),
            ("missing steps", describe_steps(self.missing_steps)),
            ("replayed steps", describe_steps(self.replayed_steps)),
            ("rewards", self._rewards()),
            ("accuracies", self.accuracy),
        ]

    def _rewards(self) -> str:
        if self.rewards is None:
            return "not known"
        if self.kinds_of_reward is not None:
            return ", ".join(f"{reward:g}" for reward in self.kinds_of_reward)
        return f"{self.rewards[0]:g} to {self.rewards[1]:g}" + (" (means of visits)" if self.means else "")

    def _dropped_rows(self) -> list[str]:
        rows = [
            f"| {reason} | {count:,} | {', '.join(self.dropped_named[reason])}{', ...' if count > _NAMED else ''} |"
            for reason, count in self.dropped.items()
        ]
        saved = self.whole_with_next - self.whole
        return [
            "| reason | prompts | which |",
            "| --- | --- | --- |",
            *rows,
            "",
            f"LIM gives them no score. With `missing: next` (the next visit's value in place of a missing one)"
            f" {saved:,} of them have one.",
        ]


def audit_trajectories(source: str | Path, form: str, files: int, trajectories: Trajectories) -> Audit:
    """The audit of trajectories alone: no log, or one that says its visits itself."""
    number = trajectories.n_samples
    of_prompt = np.bincount(trajectories.prompt, minlength=len(trajectories.prompt_ids))
    reward = trajectories.mean_reward[~np.isnan(trajectories.mean_reward)]
    audit = Audit(
        source=str(source),
        format=form,
        files=files,
        prompts=len(trajectories.prompt_ids),
        points=len(trajectories),
        rollouts=int(number.sum()),
        visits_of_prompt=_spread(of_prompt),
        samples_of_visit=(int(number.min()), usual_samples(trajectories), int(number.max())),
        rewards=(float(reward.min()), float(reward.max())) if reward.size else None,
        kinds_of_reward=None,
        means=True,
        accuracy=_accuracy(trajectories),
    )
    audit.partial = int((number < audit.samples_of_visit[1]).sum())
    _what_counts(audit, trajectories)
    if audit.rewards is not None:
        _check_rewards(audit, "a visit's mean reward")
    return audit


def audit_log(source: str | Path, log: Log, visits: Visits, trajectories: Trajectories) -> Audit:
    """The audit of another framework's log."""
    audit = audit_trajectories(source, log.format, len(log.files), trajectories)
    audit.left_out = log.left_out
    audit.not_used = int((visits.visit < 0).sum())
    audit.partial, audit.doubled, audit.merged = (len(rows) for rows in (visits.partial, visits.doubled, visits.merged))
    audit.rewards = float(log.reward.min()), float(log.reward.max())
    audit.kinds_of_reward, audit.means = _kinds(log.reward), False
    audit.checks = [check for check in audit.checks if "reward" not in check]  # known better now: of each rollout
    _check_rewards(audit, "a reward")
    if visits.steps is None:
        audit.steps = "none in the log: a visit is what stands one after another"
    else:
        steps = visits.steps
        audit.steps = f"{steps.numbers[0]} to {steps.numbers[-1]}, {len(steps.numbers):,} of them"
        audit.missing_steps, audit.replayed_steps = steps.missing, steps.replayed
        audit.checks += steps.notes
    audit.checks += _about_visits(audit, log, visits)
    if _no_visit_was_alike(audit, trajectories):
        audit.checks.append(
            "In no visit did all samples earn the same. Does the trainer leave such groups out of the log (dynamic"
            " sampling, filter_zero_std_samples)? Visits are then missing, and those after them are counted too early:"
            " log every group, or count visits by epochs (steps_per_epoch)."
        )
    return audit


def _what_counts(audit: Audit, trajectories: Trajectories) -> None:
    """Which visits count, and what LIM would drop."""
    signal = next(iter(known_signals(trajectories)), None)
    if signal is None:
        audit.checks.append("Neither rewards nor accuracies are known of every visit: nothing can be scored.")
        return
    try:
        matrix = visit_matrix(trajectories, signal)
        audit.visits = matrix.values.shape[1]
        audit.missing = int(np.isnan(matrix.values).sum())
        whole, _ = matrix.without_gaps()
        audit.whole, audit.whole_with_next = len(whole.prompt_ids), len(matrix.without_gaps("next")[0].prompt_ids)
    except LimrError as error:
        audit.checks.append(f"Nothing can be scored: {error}")
        return
    lacking = np.isnan(matrix.values).sum(axis=1)
    reasons = {row: _reason(int(lacking[row]), audit.visits) for row in np.flatnonzero(lacking)}
    audit.dropped = dict(Counter(reasons.values()).most_common())
    for row, reason in reasons.items():
        examples = audit.dropped_named.setdefault(reason, [])
        if len(examples) < _NAMED:
            examples.append(matrix.prompt_ids[row])
    if reasons:
        shared = int(np.isnan(matrix.values).any(axis=0).argmax())
        fewer = f" All have the first {shared}: `visits` of {shared} would keep them all." if shared else ""
        audit.checks.append(
            f"{len(reasons):,} of {audit.prompts:,} prompts lack one of the {audit.visits} visits that count and get no"
            f" score from LIM (below).{fewer}"
        )
    if audit.visits == 1:
        audit.checks.append("One visit only counts: there is no curve to follow, and scores say little.")
    if audit.prompts == 1:
        audit.checks.append("One prompt only: its curve is the mean curve, and its score says nothing.")


def _reason(lacking: int, visits: int) -> str:
    if lacking == visits:
        return "no whole visit at all"
    return f"{lacking} of the {visits} visits missing" if lacking < 3 else f"3 or more of the {visits} visits missing"


def _check_rewards(audit: Audit, what: str) -> None:
    """LIM's formula takes 1 as the reward of a solved prompt."""
    highest = audit.rewards[1]
    advice = f"say so (option best_reward={highest:g}), or score by accuracy"
    if highest > 1:
        audit.checks.insert(
            0, f"{what.capitalize()} is up to {highest:g}, and LIM takes 1 for that of a solved prompt: {advice}."
        )
    elif highest < 1:
        audit.checks.insert(
            0,
            f"{what.capitalize()} is {highest:g} at best and never 1, which LIM takes for that of a solved prompt:"
            f" if {highest:g} is a solved prompt's, {advice}.",
        )


def _about_visits(audit: Audit, log: Log, visits: Visits) -> list[str]:
    found = []
    if visits.steps is not None:
        steps = visits.steps
        if steps.missing:
            found.append(
                f"Steps are missing: {describe_steps(steps.missing)}. Their prompts have a hole in that epoch."
            )
        if steps.replayed:
            found.append(
                f"Steps were done again by a resumed run: {describe_steps(steps.replayed)}. The last time counts;"
                f" {audit.not_used:,} rollouts are not used."
            )
        if steps.stride > 1:
            found.append(
                f"Steps go by {steps.stride}. If training made rollouts at steps between them, which the log lacks,"
                " visits are counted too few."
            )
        lowest, _, highest = audit.visits_of_prompt
        if not visits.by_epoch and highest - lowest > 1 and not len(visits.doubled):
            found.append(
                f"Prompts have {lowest:,} to {highest:,} visits. Where training left a prompt out of an epoch (a last"
                " batch that is dropped), its later visits are counted too early: say steps_per_epoch."
            )
    else:
        found.append("The log has no steps: rows must stand in the order of training.")
    for rows, what in (
        (visits.partial, f"visits have fewer than {visits.samples} samples, and count as none"),
        (
            visits.doubled,
            "times a prompt has several visits at one step: the data may hold it several times",
        ),
        (visits.merged, "visits are of a prompt that was met twice in an epoch: all samples together"),
    ):
        if len(rows):
            found.append(f"{len(rows):,} {what} ({', '.join(named(log, rows))}{', ...' if len(rows) > 3 else ''}).")
    return found


def _no_visit_was_alike(audit: Audit, trajectories: Trajectories) -> bool:
    """Whether no visit's mean is one of the few rewards there are: many visits of a real run are all right or wrong."""
    several = audit.samples_of_visit[1] > 1 and len(trajectories) >= _MANY_VISITS and audit.kinds_of_reward is not None
    return several and not any(np.isclose(trajectories.mean_reward, kind).any() for kind in audit.kinds_of_reward)


def _accuracy(trajectories: Trajectories) -> str:
    unknown = int(np.isnan(trajectories.accuracy).sum())
    if not unknown:
        return "known"
    return "not known" if unknown == len(trajectories) else f"not known of {unknown:,} of {len(trajectories):,} visits"


def _kinds(reward: np.ndarray) -> list[float] | None:
    """The different rewards, if they are few: without a sort of them all."""
    kinds: list[float] = []
    while reward.size:
        if len(kinds) == _KINDS:
            return None
        kinds.append(float(reward[0]))
        reward = reward[reward != reward[0]]
    return sorted(kinds)


def _spread(counts: np.ndarray) -> tuple[int, int, int]:
    numbers, times = np.unique(counts, return_counts=True)
    return int(numbers[0]), int(numbers[times == times.max()].max()), int(numbers[-1])


def _three(spread: tuple[int, int, int]) -> str:
    lowest, usual, highest = (f"{number:,}" for number in spread)
    return usual if lowest == highest else f"{usual} (from {lowest} to {highest})"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
