"""Groups: the rollouts of one prompt at one step, which are the visits of a log in most cases.

A run that is killed within a step and replays it logs groups twice: ``without_repeats`` keeps the last attempt.
"""

from dataclasses import dataclass, replace

import numpy as np

from limr.errors import LimrError
from limr.logs.findings import Finding, FindingKind
from limr.logs.log import Log
from limr.logs.steps import Steps, describe_steps, largest_batch, usual_size


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups sorted by prompt and time; ``rows`` are rows of the log, group after group.

    The other arrays have one entry per group. ``starts`` is its first position in ``rows``, ``counts`` its number of
    rollouts. ``time`` is the rank of its step or, in a log without steps, the position among all groups.
    """

    rows: np.ndarray
    starts: np.ndarray
    counts: np.ndarray
    prompt: np.ndarray
    time: np.ndarray


def group_by_step(log: Log, steps: Steps) -> Groups:
    """The groups of a log with steps, without the rollouts that a replay has replaced."""
    return _grouped(log, steps.rank, steps.used)


def group_by_position(log: Log) -> Groups:
    """The groups of a log without steps: runs of consecutive rollouts of one prompt in one file."""
    starts_group = (np.diff(log.prompt) != 0) | (np.diff(log.file) != 0)
    return _grouped(log, np.concatenate([[0], np.cumsum(starts_group)]), np.ones(len(log), dtype=bool))


def without_repeats(log: Log, groups: Groups, n: int, steps: Steps) -> tuple[Groups, Steps]:
    """Groups without the rollouts of a step's first attempt, in which a run was killed before it replayed the step.

    Each prompt keeps its last n rollouts in such a step. The step holds more rollouts than other steps, or most of its
    prompts have several visits in it. A few duplicate prompts in the data set would cause neither.

    Raises LimrError where the rollouts of such a step come from several files.
    """
    repeated = _repeated_steps(groups, n, len(steps.numbers))
    if not len(repeated):
        return groups, steps
    for step in repeated:
        _refuse_several_files(log, groups, n, steps, step)
    cut = np.isin(groups.time, repeated) & (groups.counts > n)
    counts = np.where(cut, n, groups.counts)
    # position of each row in its group: the first counts - n of a group that is cut are left out
    position = np.arange(len(groups.rows)) - np.repeat(groups.starts, groups.counts)
    kept = position >= np.repeat(groups.counts - counts, groups.counts)
    starts = np.cumsum(counts) - counts
    replayed = sorted({*steps.replayed, *steps.numbers[repeated].tolist()})
    return replace(groups, rows=groups.rows[kept], starts=starts, counts=counts), replace(steps, replayed=replayed)


def find_large_steps(groups: Groups, steps: Steps) -> list[Finding]:
    """Steps with too many rollouts, where nearly all steps have the same number (or one of two).

    A step that was replayed with other prompts looks the same as a larger batch.
    """
    size = np.bincount(groups.time, weights=groups.counts, minlength=len(steps.numbers)).astype(np.int64)
    usual = usual_size(size[size > 0]) or largest_batch(size[size > 0])
    large = np.flatnonzero(size > usual) if usual else []
    if not len(large):
        return []
    numbers = steps.numbers[large].tolist()
    text = (
        f"Steps mostly have at most {usual:,} rollouts, but these have up to {size[large].max():,}:"
        f" {describe_steps(numbers)}. If a resumed run replayed them with other prompts, both attempts count."
    )
    return [Finding(FindingKind.LARGE_STEPS, text, number=len(numbers), steps=numbers)]


def _grouped(log: Log, time: np.ndarray, used: np.ndarray) -> Groups:
    key = log.prompt * (int(time.max()) + 1) + time  # sorts by prompt, then by time
    rows = np.argsort(key, kind="stable")  # stable: within a group, the order of the log
    if not used.all():
        rows = rows[used[rows]]
    key = key[rows]
    starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    first = rows[starts]
    return Groups(rows, starts, np.diff(starts, append=len(rows)), log.prompt[first], time[first])


def _repeated_steps(groups: Groups, n: int, n_steps: int) -> np.ndarray:
    """The ranks of the steps that were begun, interrupted and replayed."""
    several = groups.counts > n
    size = np.bincount(groups.time, weights=groups.counts, minlength=n_steps)
    n_several = np.bincount(groups.time, weights=several, minlength=n_steps)
    usual = usual_size(size[size > 0])
    too_large = size > usual if usual else np.zeros(n_steps, dtype=bool)
    mostly = (n_several > 1) & (2 * n_several > np.bincount(groups.time, minlength=n_steps))
    # the first attempt leaves complete groups and at most one incomplete group, in which it was killed
    complete = np.bincount(groups.time, weights=groups.counts >= 2 * n, minlength=n_steps)
    incomplete = np.bincount(groups.time, weights=several & (groups.counts % n > 0), minlength=n_steps)
    return np.flatnonzero((complete > 0) & (incomplete <= 1) & (too_large | mostly))


def _refuse_several_files(log: Log, groups: Groups, n: int, steps: Steps, step: int) -> None:
    files = [log.files[file] for file in np.unique(log.file[(steps.rank == step) & steps.used])]
    if len(files) > 1:
        of_step = groups.time == step
        raise LimrError(
            where=(", ".join(files[:3]), f"step {steps.numbers[step]}"),
            found=f"{groups.counts[of_step].sum():,} rollouts, and {(groups.counts[of_step] > n).sum():,} prompts with"
            f" more than the {n} samples of a visit",
            expected="as many as in other steps",
            advice="Check whether the files are copies or come from two runs, and remove those that do not belong.",
        )
