"""Makes the audit of a source: its numbers, and the findings that the user should check."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from limr.errors import LimrError, MethodOption, Setting, Text, one_line
from limr.logs.audit_page import Audit
from limr.logs.findings import NAMED, Finding, FindingKind
from limr.logs.leaving_out import describe
from limr.logs.log import Log
from limr.logs.steps import Steps, describe_steps, usual_size
from limr.logs.visits import Visits
from limr.trajectories.curves import Trajectories
from limr.trajectories.matrix import known_signals, usual_samples, visit_matrix

logger = logging.getLogger(__name__)

_KINDS = 5  # at most this many distinct rewards are listed
_MANY_VISITS = 100  # among this many visits of a real run, some have equal rewards for all samples


def audit_trajectories(
    source: str | Path, form: str, files: int, trajectories: Trajectories, left_out: Mapping[str, str] | None = None
) -> Audit:
    """The audit of a source with numbered visits; ``form`` names its format, ``left_out`` files that are not read."""
    audit = _numbers(source, form, files, trajectories)
    audit.partial = int((trajectories.n_samples < audit.samples_of_visit[1]).sum())
    reward = trajectories.mean_reward[~np.isnan(trajectories.mean_reward)]
    audit.means = True
    audit.rewards = (float(reward.min()), float(reward.max())) if reward.size else None
    audit.left_out = dict(left_out or {})
    audit.findings = [
        *about_left_out(source, audit.left_out),
        *_about_rewards(audit),
        *_count_curves(audit, trajectories),
    ]
    return audit


def audit_log(source: str | Path, log: Log, visits: Visits, trajectories: Trajectories) -> Audit:
    """The audit of another framework's log; ``visits`` is the result of ``number_visits``."""
    audit = _numbers(source, log.format, len(log.files), trajectories)
    audit.left_out = log.left_out
    audit.not_used = int((visits.visit < 0).sum())
    audit.partial, audit.merged = len(visits.partial), len(visits.merged)
    audit.duplicate = len(visits.duplicate)
    audit.rewards = float(log.reward.min()), float(log.reward.max())
    audit.kinds_of_reward = _distinct_rewards(log.reward)
    audit.findings = about_left_out(source, {file: log.left_out[file] for file in log.on_purpose})
    audit.findings += [*_about_rewards(audit), *_count_curves(audit, trajectories)]
    if visits.steps is None:
        audit.steps = "none in the log; a visit is a run of consecutive rows"
        audit.findings.append(
            Finding(FindingKind.NO_STEPS, "The log has no steps: its rows must be in the order of training.")
        )
    else:
        steps = visits.steps
        audit.steps = f"{steps.numbers[0]} to {steps.numbers[-1]}, {len(steps.numbers):,} of them"
        audit.missing_steps, audit.replayed_steps = steps.missing, steps.replayed
        audit.findings += [*steps.findings, *_about_steps(audit, visits, steps)]
    audit.findings += _about_groups(log, visits)
    audit.findings += _about_spread(audit, trajectories)
    return audit


def about_left_out(source: str | Path, left_out: Mapping[str, str]) -> list[Finding]:
    """The finding about files that hold rollouts, or that the user named, and are not read: file -> the reason."""
    if not left_out:
        return []
    text = f"{describe(Path(source), left_out)}."
    logger.info(text)  # a stage of the workflow has no other place for notes
    return [Finding(FindingKind.LEFT_OUT, text, number=len(left_out), examples=list(left_out)[:NAMED])]


def _numbers(source: str | Path, form: str, files: int, trajectories: Trajectories) -> Audit:
    number = trajectories.n_samples
    return Audit(
        source=str(source),
        format=form,
        files=files,
        prompts=len(trajectories.prompt_ids),
        points=len(trajectories),
        rollouts=int(number.sum()),
        visits_of_prompt=_spread(np.bincount(trajectories.prompt, minlength=len(trajectories.prompt_ids))),
        samples_of_visit=(int(number.min()), usual_samples(trajectories), int(number.max())),
        accuracy=_accuracy(trajectories),
    )


def _about_rewards(audit: Audit) -> list[Finding]:
    """LIM's formula takes 1 as the reward of a solved prompt."""
    if audit.rewards is None or audit.rewards[1] == 1:
        return []
    highest = f"{audit.rewards[1]:g}"
    subject = "Mean rewards of visits" if audit.means else "Rewards"
    if audit.rewards[1] > 1:
        begin = f"{subject} go up to {highest}, but LIM takes 1 as the reward of a solved prompt. Set "
    else:
        begin = (
            f"{subject} never reach 1, which LIM takes as the reward of a solved prompt; the highest is {highest}."
            f" If {highest} is the reward of a solved prompt, set "
        )
    options = MethodOption("best_reward", highest), MethodOption("signal", "accuracy")
    text = [begin, options[0], ", or score by accuracy: ", options[1], "."]
    return [Finding(FindingKind.REWARD_OF_SOLVED, text)]


def _count_curves(audit: Audit, trajectories: Trajectories) -> list[Finding]:
    """Fill in which visits count and which prompts LIM would drop. Returns the findings about them."""
    signal = next(iter(known_signals(trajectories)), None)
    if signal is None:
        text = "Nothing can be scored: neither the reward nor the accuracy is known for every visit."
        return [Finding(FindingKind.NOTHING_TO_SCORE, text)]
    try:
        matrix = visit_matrix(trajectories, signal)
        audit.visits = matrix.values.shape[1]
        audit.missing = int(np.isnan(matrix.values).sum())
        whole, _ = matrix.without_gaps()
        audit.whole, audit.whole_with_next = len(whole.prompt_ids), len(matrix.without_gaps("next")[0].prompt_ids)
    except LimrError as error:
        return [Finding(FindingKind.NOTHING_TO_SCORE, "Nothing can be scored", cause=error)]
    lacking = np.isnan(matrix.values).sum(axis=1)
    reasons = {row: _reason(int(lacking[row]), audit.visits) for row in np.flatnonzero(lacking)}
    audit.dropped = dict(Counter(reasons.values()).most_common())
    for row, reason in reasons.items():
        examples = audit.dropped_named.setdefault(reason, [])
        if len(examples) < NAMED:
            examples.append(matrix.prompt_ids[row])
    return [*_about_gaps(audit, len(reasons), matrix.values), *_about_size(audit)]


def _about_gaps(audit: Audit, dropped: int, values: np.ndarray) -> list[Finding]:
    if not dropped:
        return []
    text: list[str | Setting] = [
        f"{dropped:,} of {audit.prompts:,} prompts lack one of the {audit.visits} visits that count, so LIM gives them"
        " no score."
    ]
    shared = int(np.isnan(values).any(axis=0).argmax())  # the first visit that a prompt lacks
    if shared:
        text += [f" All prompts have the first {shared}: ", Setting("visits", shared), " keeps every prompt."]
    examples = [prompt_id for named in audit.dropped_named.values() for prompt_id in named][:NAMED]
    return [Finding(FindingKind.INCOMPLETE_CURVES, text, number=dropped, examples=examples)]


def _about_size(audit: Audit) -> list[Finding]:
    found = []
    if audit.visits == 1:
        text = "Only one visit counts: there is no curve to follow, and scores mean little."
        found.append(Finding(FindingKind.ONE_VISIT, text, number=1))
    if audit.prompts == 1:
        text = "There is only one prompt: its curve is the mean curve, and its score means nothing."
        found.append(Finding(FindingKind.ONE_PROMPT, text, number=1))
    return found


def _reason(lacking: int, visits: int) -> str:
    if lacking == visits:
        return "no complete visit"
    return f"{lacking} of the {visits} visits missing" if lacking < 3 else f"3 or more of the {visits} visits missing"


def _about_steps(audit: Audit, visits: Visits, steps: Steps) -> list[Finding]:
    found = []
    if steps.missing:
        text = f"Steps are missing: {describe_steps(steps.missing)}. Their prompts lack the visit of that epoch."
        found.append(Finding(FindingKind.MISSING_STEPS, text, number=len(steps.missing), steps=steps.missing))
    if steps.replayed:
        text = (
            f"A resumed run replayed steps: {describe_steps(steps.replayed)}. The last attempt counts;"
            f" {audit.not_used:,} rollouts are not used."
        )
        found.append(Finding(FindingKind.REPLAYED_STEPS, text, number=len(steps.replayed), steps=steps.replayed))
    if steps.stride > 1:
        text = (
            f"Steps are {steps.stride} apart. If training made rollouts at the steps between them, which the log lacks,"
            " too few visits are counted."
        )
        found.append(Finding(FindingKind.STRIDE, text, number=steps.stride))
    found += _about_short_steps(audit, visits, steps)
    lowest, _, highest = audit.visits_of_prompt
    if not visits.by_epoch and highest - lowest > 1 and not len(visits.duplicate):
        uneven: Text = [
            f"Prompts have {lowest:,} to {highest:,} visits. If training left a prompt out of an epoch (a last batch"
            " that was dropped, say), its later visits are counted too early. Count visits by epochs: ",
            Setting("steps_per_epoch"),
            ".",
        ]
        found.append(Finding(FindingKind.UNEVEN_VISITS, uneven))
    return found


def _about_short_steps(audit: Audit, visits: Visits, steps: Steps) -> list[Finding]:
    """The finding about steps of which the log may hold only a part, such as a file that was cut after a whole row.

    Left out are the last step, which may not have been finished, and a short step in every epoch: its last batch.
    """
    if visits.by_epoch:  # a lost visit is then missing
        return []
    sizes = np.bincount(steps.rank[visits.sample == 0], minlength=len(steps.numbers))[:-1]
    usual = usual_size(sizes)
    short = np.flatnonzero(sizes < usual) if usual else []
    if not len(short) or len(short) >= audit.visits_of_prompt[1] - 1:
        return []
    numbers = steps.numbers[short].tolist()
    text: Text = [
        f"Steps mostly have {usual:,} prompts, but these have fewer: {describe_steps(numbers)}. If a part of them was"
        " lost, later visits of the lost prompts are counted too early. Put the whole files back, or count visits by"
        " epochs: ",
        Setting("steps_per_epoch"),
        ".",
    ]
    return [Finding(FindingKind.SHORT_STEPS, text, number=len(numbers), steps=numbers)]


def _about_groups(log: Log, visits: Visits) -> list[Finding]:
    """Groups of a prompt's rollouts that are not one visit each."""
    found = []
    for kind, rows, subject, meaning in (
        (
            FindingKind.PARTIAL_VISITS,
            visits.partial,
            f"Visits with fewer than {visits.samples} samples",
            "They count as missing.",
        ),
        (
            FindingKind.DUPLICATE_VISITS,
            visits.duplicate,
            "Groups with several visits of a prompt at one step",
            "The data set may hold these prompts several times.",
        ),
        (
            FindingKind.MERGED_VISITS,
            visits.merged,
            "Visits of a prompt that was met twice in an epoch",
            "All samples of the epoch count as one visit.",
        ),
    ):
        if len(rows):
            examples = _examples(log, rows[:NAMED])
            more = ", ..." if len(rows) > NAMED else ""
            text = f"{subject}: {len(rows):,} ({', '.join(examples)}{more}). {meaning}"
            found.append(Finding(kind, text, number=len(rows), examples=examples))
    return found


def _examples(log: Log, rows: Sequence[int] | np.ndarray) -> list[str]:
    """The prompts and steps of these rows of the log."""
    prompts = [f"prompt {one_line(log.prompts[log.prompt[row]].prompt_id)}" for row in rows]
    if log.step is None:
        return prompts
    return [f"{prompt} at step {log.step[row]}" for prompt, row in zip(prompts, rows, strict=True)]


def _about_spread(audit: Audit, trajectories: Trajectories) -> list[Finding]:
    """The finding for a log without any visit of equal rewards; real runs have many that are all right or all wrong."""
    if audit.samples_of_visit[1] == 1 or len(trajectories) < _MANY_VISITS or audit.kinds_of_reward is None:
        return []
    if any(np.isclose(trajectories.mean_reward, kind).any() for kind in audit.kinds_of_reward):
        return []
    text: Text = [
        "No visit has the same reward for all its samples. Check whether the trainer leaves such groups out of the log"
        " (dynamic sampling, filter_zero_std_samples). Visits are then missing, and later ones are counted too early."
        " Log every group, or count visits by epochs: ",
        Setting("steps_per_epoch"),
        ".",
    ]
    return [Finding(FindingKind.NO_UNIFORM_GROUP, text)]


def _accuracy(trajectories: Trajectories) -> str:
    unknown = int(np.isnan(trajectories.accuracy).sum())
    if not unknown:
        return "known"
    return "not known" if unknown == len(trajectories) else f"not known of {unknown:,} of {len(trajectories):,} visits"


def _distinct_rewards(reward: np.ndarray) -> list[float] | None:
    """The distinct rewards, if they are few. Each pass removes one of them, which is faster than sorting."""
    kinds: list[float] = []
    while reward.size:
        if len(kinds) == _KINDS:
            return None
        kinds.append(float(reward[0]))
        reward = reward[reward != reward[0]]
    return sorted(kinds)


def _spread(counts: np.ndarray) -> tuple[int, int, int]:
    """The lowest, the most common (the larger of two) and the highest."""
    numbers, times = np.unique(counts, return_counts=True)
    return int(numbers[0]), int(numbers[times == times.max()].max()), int(numbers[-1])
