"""Which visit each rollout of a log belongs to: no framework's log says so."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from limr.errors import LimrError
from limr.logs.log import Log
from limr.logs.steps import (
    Steps,
    describe_steps,
    largest_batch,
    look_at_steps,
    most_common,
    refuse_missing_steps,
    usual_size,
)
from limr.trajectories.curves import Trajectories

# With steps_per_epoch a prompt is met once an epoch, but for one that the data set holds twice. Where more than one
# visit in twenty is of a prompt that is met twice, the number does not fit the run.
_MOST_MET_TWICE = 0.05


@dataclass(frozen=True, eq=False)
class Visits:
    """The visit and the sample of every rollout of a log (int64), -1 for one that is not used; and what was found.

    ``samples`` is the number of samples of a whole visit, ``by_epoch`` whether visits are epochs. A *group* is a
    prompt's rollouts at one step (without steps: one after another). ``partial`` and ``doubled`` are rows in the log of
    the first rollout of each group that has too few, and that is several visits; ``merged`` of each visit that is of
    several groups.
    """

    visit: np.ndarray
    sample: np.ndarray
    samples: int
    steps: Steps | None
    partial: np.ndarray
    doubled: np.ndarray
    merged: np.ndarray
    by_epoch: bool = False


def number_visits(log: Log, samples: int | None = None, steps_per_epoch: int | None = None) -> Visits:
    """Number the visits of every prompt.

    A visit is a prompt's group of n samples, numbered in time order: by step, and by place where a prompt has a
    multiple of n rollouts at one step (it stands in the data set so many times). n is ``samples``, else the most
    common number of rollouts of a prompt at one step. A group of fewer is a visit too, a partial one. In a log
    without steps a group is what stands one after another in one file.

    Numbered like this, **a visit is a prompt's own**: where training leaves a prompt out of an epoch, as a dropped last
    batch does, its later visits come one too early, and it is its last one that is missing. With ``steps_per_epoch``,
    the training steps that go once through the data (in numbers of the log's steps), the visit is the epoch: (step -
    first step) // steps_per_epoch. What a prompt missed then stays a hole at its place (which ``missing: next`` fills,
    as the paper's own run did), a lost step does no harm, and all of a prompt's rollouts in one epoch are one visit.
    Epochs begin at the log's first step, at 1 or at 0, whichever makes the fewest prompts be met twice in one.

    The paper's own run is such a one: 8,523 prompts, of which 8 steps of 1,024 meet 8,192 an epoch, in another order
    each time. Only some 3,700 of the prompts are met in all of 21 epochs; with ``missing: next`` some 7,970 have a
    whole curve, as 7,935 have a score there. Without steps_per_epoch nearly all have 19 visits, of other epochs.

    Steps that a resumed run did again count once (see ``look_at_steps``). Within a step the order of rows does not
    matter, but for a prompt with several visits in it.

    Raises LimrError where visits would be miscounted: a step missing in the middle, a prompt with more than n rollouts
    and no multiple of it, a step that several files hold, samples that are more than most visits have, steps_per_epoch
    that does not fit.
    """
    if not len(log):
        raise LimrError(f"{', '.join(log.files[:3])}: not one rollout in the log")
    for name, value in (("samples", samples), ("steps_per_epoch", steps_per_epoch)):
        if value is not None and value < 1:
            raise LimrError(f"{name}: found {value}, expected at least 1")
    if log.step is None:
        if steps_per_epoch is not None:
            raise LimrError(f"{log.files[0]}: the log has no steps, so that steps_per_epoch says nothing: leave it out")
        groups = _groups(log, _runs(log), None)
        return _one_after_another(log, groups, _samples(log, groups, samples), None)
    steps = look_at_steps(log, samples)
    groups = _groups(log, steps.rank, steps.used)
    n = _samples(log, groups, samples)
    groups, steps = _without_repeats(log, groups, n, steps)
    steps = replace(steps, notes=[*steps.notes, *_large_steps(groups, steps)])
    if steps_per_epoch is not None:
        return _by_epoch(log, groups, n, steps, steps_per_epoch)
    refuse_missing_steps(log, steps)
    return _one_after_another(log, groups, n, steps)


def trajectories_of_log(log: Log, visits: Visits) -> Trajectories:
    """The means of every visit; an accuracy is NaN where the log does not say of one sample whether it is correct.

    A prompt without a visit (all its rollouts are of steps that were done again) stays, with no point.
    """
    used = np.flatnonzero(visits.visit >= 0)
    prompt, visit = log.prompt[used], visits.visit[used]
    n_visits = int(visit.max()) + 1
    point = prompt * n_visits + visit
    if len(log.prompts) * n_visits <= 8 * len(used) + 1_000_000:
        points = np.flatnonzero(np.bincount(point))
        row_of = np.zeros(len(log.prompts) * n_visits, np.int64)
        row_of[points] = np.arange(len(points))
        row = row_of[point]
    else:  # one prompt with 100,000 visits, say
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


@dataclass(frozen=True, eq=False)
class _Groups:
    """Groups sorted by prompt and time; arrays of one length but ``rows``: rows of the log, group after group."""

    rows: np.ndarray
    starts: np.ndarray  # of each group in ``rows``
    counts: np.ndarray
    prompt: np.ndarray
    time: np.ndarray  # rank of the step, or how-many-eth group of the log


def _groups(log: Log, time: np.ndarray, used: np.ndarray | None) -> _Groups:
    key = log.prompt * (int(time.max()) + 1) + time
    rows = np.argsort(key, kind="stable")
    if used is not None and not used.all():
        rows = rows[used[rows]]
    key = key[rows]
    starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    counts = np.diff(starts, append=len(rows))
    first = rows[starts]
    return _Groups(rows, starts, counts, log.prompt[first], time[first])


def _runs(log: Log) -> np.ndarray:
    """Of each rollout, in which run of rollouts of one prompt in one file it stands."""
    other = (np.diff(log.prompt) != 0) | (np.diff(log.file) != 0)
    return np.concatenate([[0], np.cumsum(other)])


def _one_after_another(log: Log, groups: _Groups, n: int, steps: Steps | None) -> Visits:
    several = groups.counts > n
    uneven = np.flatnonzero(several & (groups.counts % n > 0))
    if len(uneven):
        raise _uneven(log, groups, uneven, n)
    number = np.maximum(groups.counts // n, 1)
    before = np.cumsum(number) - number
    first_of_prompt = np.concatenate([[True], groups.prompt[1:] != groups.prompt[:-1]])
    before -= np.repeat(before[first_of_prompt], np.diff(np.flatnonzero(first_of_prompt), append=len(number)))
    place = np.arange(len(groups.rows)) - np.repeat(groups.starts, groups.counts)
    visit, sample = np.full(len(log), -1), np.full(len(log), -1)
    visit[groups.rows] = np.repeat(before, groups.counts) + place // n
    sample[groups.rows] = place % n
    first = groups.rows[groups.starts]
    return Visits(visit, sample, n, steps, first[groups.counts < n], first[several], first[:0])


def _by_epoch(log: Log, groups: _Groups, n: int, steps: Steps, steps_per_epoch: int) -> Visits:
    step = steps.numbers[groups.time]
    first_step = int(steps.numbers[0])
    origins = [origin for origin in (first_step, 1, 0) if origin <= first_step]
    epochs = [(step - origin) // steps_per_epoch for origin in origins]
    met_again = [(np.diff(groups.prompt) == 0) & (np.diff(epoch) == 0) for epoch in epochs]
    best = min(range(len(origins)), key=lambda row: met_again[row].sum())
    epoch, again = epochs[best] - epochs[best].min(), np.concatenate([[False], met_again[best]])
    if again.mean() > _MOST_MET_TWICE:
        raise LimrError(
            f"{log.files[0]}: with {steps_per_epoch} steps an epoch {again.mean():.0%} of the visits are of a prompt"
            " that was met in that epoch before: the number does not fit the run (prompts divided by prompts a step)"
        )
    visits = np.flatnonzero(~again)  # the first group of each
    starts = groups.starts[visits]
    counts = np.diff(starts, append=len(groups.rows))
    visit, sample = np.full(len(log), -1), np.full(len(log), -1)
    visit[groups.rows] = np.repeat(epoch[visits], counts)
    sample[groups.rows] = np.arange(len(groups.rows)) - np.repeat(starts, counts)
    first = groups.rows[starts]
    several = np.diff(visits, append=len(again)) > 1
    return Visits(
        visit, sample, n, steps, first[counts < n], first[(counts > n) & ~several], first[several], by_epoch=True
    )


def _samples(log: Log, groups: _Groups, samples: int | None) -> int:
    usual = most_common(groups.counts)
    if samples is not None and (groups.counts < samples).mean() > 0.5:
        raise LimrError(
            f"{log.files[0]}: samples: found {samples}, while most visits have fewer, mostly {usual}:"
            " lower it, or leave it out"
        )
    return samples or usual


def _uneven(log: Log, groups: _Groups, uneven: np.ndarray, n: int) -> LimrError:
    group = uneven[0]
    row = groups.rows[groups.starts[group]]
    where = "one after another" if log.step is None else f"at step {log.step[row]}"
    return LimrError(
        f"{_place(log, row)}: prompt {log.prompts[log.prompt[row]].prompt_id} has {groups.counts[group]} rollouts"
        f" {where}, expected {n}, the samples of a visit, or a multiple of it ({len(uneven):,} such groups)."
        " Are some there twice? If a visit has another number of samples, say so (samples, --samples)"
    )


def _without_repeats(log: Log, groups: _Groups, n: int, steps: Steps) -> tuple[_Groups, Steps]:
    """Without what was logged before a run was killed in a step and did that step again: each prompt's last n count.

    Such a step holds more rollouts than steps do, or most of its prompts are there several times: not what a data set
    explains that holds some prompts twice. Raises LimrError where they come from several files.
    """
    n_steps = len(steps.numbers)
    several = groups.counts > n
    size = np.bincount(groups.time, weights=groups.counts, minlength=n_steps)
    n_several = np.bincount(groups.time, weights=several, minlength=n_steps)
    usual = usual_size(size[size > 0])
    too_large = size > usual if usual else np.zeros(n_steps, dtype=bool)
    mostly = (n_several > 1) & (2 * n_several > np.bincount(groups.time, minlength=n_steps))
    # what was written before the kill are whole groups, and at most one that is not
    whole = np.bincount(groups.time, weights=groups.counts >= 2 * n, minlength=n_steps)
    torn = np.bincount(groups.time, weights=several & (groups.counts % n > 0), minlength=n_steps)
    repeated = np.flatnonzero((whole > 0) & (torn <= 1) & (too_large | mostly))
    if not len(repeated):
        return groups, steps
    for step in repeated:
        files = [log.files[file] for file in np.unique(log.file[(steps.rank == step) & steps.used])]
        if len(files) > 1:
            raise LimrError(
                f"{', '.join(files[:3])}: step {steps.numbers[step]} has {int(size[step]):,} rollouts, and"
                f" {int(n_several[step]):,} of its prompts more than the {n} of a visit, which other steps do not have:"
                " files of two runs, or copies? Take those away that do not belong"
            )
    cut = np.isin(groups.time, repeated) & several
    counts = np.where(cut, n, groups.counts)
    kept = np.arange(len(groups.rows)) - np.repeat(groups.starts, groups.counts) >= np.repeat(
        groups.counts - counts, groups.counts
    )
    replayed = sorted({*steps.replayed, *steps.numbers[repeated].tolist()})
    starts = np.cumsum(counts) - counts
    return replace(groups, rows=groups.rows[kept], starts=starts, counts=counts), replace(steps, replayed=replayed)


def _large_steps(groups: _Groups, steps: Steps) -> list[str]:
    """What a person should know of a step that holds too much, where nearly all steps hold as many (or one of two).

    A run that was killed in the step, and did it again with other prompts, looks just like a batch that was larger.
    """
    size = np.bincount(groups.time, weights=groups.counts, minlength=len(steps.numbers)).astype(np.int64)
    usual = usual_size(size[size > 0]) or largest_batch(size[size > 0])
    large = np.flatnonzero(size > usual) if usual else []
    if not len(large):
        return []
    return [
        f"Steps mostly hold {usual:,} rollouts at most, and more at {describe_steps(steps.numbers[large].tolist())}"
        f" ({size[large].max():,}): if a resumed run did them again with other prompts, both times count."
    ]


def _place(log: Log, row: int) -> str:
    """``place`` is a line of text, from 1, or a row of Parquet or of a JSON list."""
    file = log.files[log.file[row]]
    return f"{file}: {'line' if file.endswith(('.jsonl', '.csv')) else 'row'} {log.place[row]}"


def named(log: Log, rows: Sequence[int] | np.ndarray, most: int = 3) -> list[str]:
    """Prompts and steps of some rollouts, for a person to look at."""
    at = [f"prompt {log.prompts[log.prompt[row]].prompt_id}" for row in rows[:most]]
    if log.step is None:
        return at
    return [f"{prompt} at step {log.step[row]}" for prompt, row in zip(at, rows[:most], strict=True)]
