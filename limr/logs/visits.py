"""Defines what a visit is: ``number_visits`` assigns every rollout of a log to a visit.

No framework logs the visit. The rules, which ``number_visits`` documents in full:

- A visit is one group of a prompt's rollouts: its n samples at one training step.
- A prompt's visits are numbered in the order of its steps, from 0 (``_one_after_another``).
- With ``steps_per_epoch`` the visit is instead the epoch that the step belongs to (``_by_epoch``).
- Steps that a resumed run replayed count once. ``limr.logs.steps`` finds them.
"""

from dataclasses import dataclass, replace

import numpy as np

from limr.errors import LimrError, Setting
from limr.logs.groups import Groups, find_large_steps, group_by_position, group_by_step, without_repeats
from limr.logs.log import Log
from limr.logs.steps import Steps, find_steps, most_common, refuse_missing_steps
from limr.trajectories.curves import Trajectories

# Training meets a prompt once an epoch, unless the data set holds it twice. steps_per_epoch does not fit the run if in
# more than one visit in twenty the prompt was met before in the same epoch.
_MOST_MET_AGAIN = 0.05


@dataclass(frozen=True, eq=False)
class Visits:
    """The visit and the sample of every rollout of a log (int64), -1 for rollouts that are not used.

    ``samples`` is the number of samples of a complete visit. ``by_epoch`` is true where visits are epochs. ``steps`` is
    None for a log without steps. The last three arrays list groups, each by the row of its first rollout in the log.
    ``partial`` groups have too few samples. ``duplicate`` groups hold several visits of a prompt at one step.
    ``merged`` groups are visits that consist of several groups of one epoch.
    """

    visit: np.ndarray
    sample: np.ndarray
    samples: int
    steps: Steps | None
    partial: np.ndarray
    duplicate: np.ndarray
    merged: np.ndarray
    by_epoch: bool = False


def number_visits(log: Log, samples: int | None = None, steps_per_epoch: int | None = None) -> Visits:
    """Number the visits of every prompt.

    A visit is a prompt's group of n samples. Visits are numbered in time order: by step, and by position where a prompt
    has a multiple of n rollouts at one step (the data set holds it several times). n is ``samples``, by default the
    most common number of rollouts of a prompt at one step. A group with fewer rollouts is a visit too, a partial one.
    In a log without steps, a group is a run of consecutive rollouts of one prompt in one file.

    Counted this way, **the index of a visit belongs to the prompt**. If training leaves a prompt out of an epoch, as a
    dropped last batch does, then the index of each later visit is one too low. The last visit is missing.

    With ``steps_per_epoch``, the number of training steps in one pass over the data (as the log counts steps), the
    visit is the epoch: (step - first step) // steps_per_epoch. A visit that a prompt missed then stays a gap, which
    ``missing: next`` can fill, as the paper's own run did. A lost step does no harm. All rollouts of a prompt in one
    epoch are one visit. Epochs may begin at the log's first step, at 1 or at 0. The beginning with the fewest prompts
    that occur twice in an epoch is used.

    The paper's run needs ``steps_per_epoch``. It has 8,523 prompts, and the 8 steps of 1,024 in an epoch meet 8,192 of
    them, in a new order each time. Only some 3,700 prompts are met in all of 21 epochs. With ``missing: next`` some
    7,970 have a complete curve, close to the 7,935 that have a released score. Without steps_per_epoch nearly all
    prompts have 19 visits, but of different epochs.

    Steps that a resumed run replayed count once (see ``find_steps``). Within a step the order of rows does not matter,
    except for a prompt with several visits in it.

    Raises LimrError where visits would be miscounted: a step is missing in the middle; a prompt has more than n
    rollouts, but not a multiple of n; several files hold the same step; ``samples`` is more than most visits have; or
    ``steps_per_epoch`` does not fit.
    """
    if not len(log):
        raise LimrError(where=", ".join(log.files[:3]), found="no rollouts", expected="the log of a run")
    for name, value in (("samples", samples), ("steps_per_epoch", steps_per_epoch)):
        if value is not None and value < 1:
            raise LimrError(where=name, found=str(value), expected="at least 1")
    if log.step is None:
        if steps_per_epoch is not None:
            raise LimrError(
                "the log has no steps to count epochs by",
                where=log.files[0],
                advice=["Leave out ", Setting("steps_per_epoch"), "."],
            )
        groups = group_by_position(log)
        return _one_after_another(log, groups, _samples(log, groups, samples), None)
    steps = find_steps(log, samples)
    groups = group_by_step(log, steps)
    n = _samples(log, groups, samples)
    groups, steps = without_repeats(log, groups, n, steps)
    steps = replace(steps, findings=[*steps.findings, *find_large_steps(groups, steps)])
    if steps_per_epoch is not None:
        return _by_epoch(log, groups, n, steps, steps_per_epoch)
    refuse_missing_steps(log, steps)
    return _one_after_another(log, groups, n, steps)


def trajectories_of_log(log: Log, visits: Visits) -> Trajectories:
    """The mean reward and accuracy of every visit.

    An accuracy is NaN where the log lacks the correctness of a sample. A prompt stays in the result without a visit if
    all its rollouts are of steps that a resumed run replayed without it.
    """
    used = np.flatnonzero(visits.visit >= 0)
    prompt, visit = log.prompt[used], visits.visit[used]
    n_visits = int(visit.max()) + 1
    point = prompt * n_visits + visit  # one integer for each pair (prompt, visit), in the order of the result
    # row: index of each rollout's point among the points that occur
    if len(log.prompts) * n_visits <= 8 * len(used) + 1_000_000:
        points = np.flatnonzero(np.bincount(point))
        row_of = np.zeros(len(log.prompts) * n_visits, np.int64)
        row_of[points] = np.arange(len(points))
        row = row_of[point]
    else:  # a table of all pairs would be too large: one prompt with 100,000 visits, say
        points, row = np.unique(point, return_inverse=True)
    number = np.bincount(row)
    return Trajectories(
        [prompt.prompt_id for prompt in log.prompts],
        points // n_visits,
        points % n_visits,
        np.bincount(row, log.reward[used]) / number,
        np.bincount(row, log.correct[used]) / number,
        number,
    )


def _one_after_another(log: Log, groups: Groups, n: int, steps: Steps | None) -> Visits:
    """Number each prompt's visits 0, 1, 2, ... in time order; a group of k * n rollouts is k visits."""
    several = groups.counts > n
    uneven = np.flatnonzero(several & (groups.counts % n > 0))
    if len(uneven):
        raise _uneven(log, groups, uneven, n)
    number = np.maximum(groups.counts // n, 1)  # visits in each group
    # visits of the same prompt before each group: a running sum over all groups, less its value at the prompt's first
    before = np.cumsum(number) - number
    first_of_prompt = np.concatenate([[True], groups.prompt[1:] != groups.prompt[:-1]])
    before -= np.repeat(before[first_of_prompt], np.diff(np.flatnonzero(first_of_prompt), append=len(number)))
    position = np.arange(len(groups.rows)) - np.repeat(groups.starts, groups.counts)  # of each rollout in its group
    visit, sample = np.full(len(log), -1), np.full(len(log), -1)
    visit[groups.rows] = np.repeat(before, groups.counts) + position // n
    sample[groups.rows] = position % n
    first = groups.rows[groups.starts]
    return Visits(visit, sample, n, steps, first[groups.counts < n], first[several], first[:0])


def _by_epoch(log: Log, groups: Groups, n: int, steps: Steps, steps_per_epoch: int) -> Visits:
    """The visit is the epoch of the step; all groups of a prompt in one epoch are one visit."""
    step = steps.numbers[groups.time]
    first_step = int(steps.numbers[0])
    # try each origin of the epochs, and take the one with the fewest prompts that occur twice in an epoch
    origins = [origin for origin in (first_step, 1, 0) if origin <= first_step]
    epochs = [(step - origin) // steps_per_epoch for origin in origins]
    met_again = [(np.diff(groups.prompt) == 0) & (np.diff(epoch) == 0) for epoch in epochs]
    best = min(range(len(origins)), key=lambda row: met_again[row].sum())
    epoch, again = epochs[best] - epochs[best].min(), np.concatenate([[False], met_again[best]])
    if again.mean() > _MOST_MET_AGAIN:
        raise LimrError(
            f"with {steps_per_epoch} steps an epoch, {again.mean():.0%} of the visits are of a prompt that was met"
            " before in the same epoch",
            where=log.files[0],
            advice=[
                Setting("steps_per_epoch"),
                " does not fit the run. It is the number of prompts divided by the prompts in a step.",
            ],
        )
    visits = np.flatnonzero(~again)  # index of the first group of each visit
    starts = groups.starts[visits]
    counts = np.diff(starts, append=len(groups.rows))  # rollouts of each visit, over all its groups
    visit, sample = np.full(len(log), -1), np.full(len(log), -1)
    visit[groups.rows] = np.repeat(epoch[visits], counts)
    sample[groups.rows] = np.arange(len(groups.rows)) - np.repeat(starts, counts)
    first = groups.rows[starts]
    merged = np.diff(visits, append=len(again)) > 1
    duplicate = (counts > n) & ~merged
    return Visits(visit, sample, n, steps, first[counts < n], first[duplicate], first[merged], by_epoch=True)


def _samples(log: Log, groups: Groups, samples: int | None) -> int:
    """The samples of a visit: ``samples``, by default the most common number of rollouts in a group."""
    usual = most_common(groups.counts)
    if samples is not None and (groups.counts < samples).mean() > 0.5:
        raise LimrError(
            "most visits have fewer samples",
            where=(log.files[0], "samples"),
            found=str(samples),
            expected=f"{usual}, the most common number",
            advice=["Lower ", Setting("samples"), ", or leave it out."],
        )
    return samples or usual


def _uneven(log: Log, groups: Groups, uneven: np.ndarray, n: int) -> LimrError:
    """The error for prompts with more than n rollouts, but not a multiple of n."""
    group = uneven[0]
    row = groups.rows[groups.starts[group]]
    when = "one after another" if log.step is None else f"at step {log.step[row]}"
    file = log.files[log.file[row]]
    # text files are counted in lines from 1, Parquet and JSON lists in rows
    unit = "line" if file.endswith((".jsonl", ".csv")) else "row"
    return LimrError(
        where=(file, f"{unit} {log.place[row]}", f"prompt {log.prompts[log.prompt[row]].prompt_id}"),
        found=f"{groups.counts[group]} rollouts {when}",
        expected=f"{n}, the samples of a visit, or a multiple of it ({len(uneven):,} such groups)",
        advice=[
            "Check whether rollouts occur twice. If a visit has another number of samples, give it: ",
            Setting("samples"),
            ".",
        ],
    )
