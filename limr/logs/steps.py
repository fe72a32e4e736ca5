"""The training steps of a log: which are missing, and which a resumed run has replayed."""

from dataclasses import dataclass, field

import numpy as np

from limr.errors import Column, LimrError, Setting
from limr.logs.findings import Finding, FindingKind
from limr.logs.log import Log

_REGULAR = 0.8  # batches have one size if at least this share of the steps has the same number of rollouts
_FEW = 3  # at least this many steps of a single stretch are needed to determine the batch size
_MOST_MISSING = 1_000_000  # more steps than that are no steps of one run: a date, say
_MOST_SPAN = 10**9
_SURPLUS = 1.5  # where batches differ in size, a replayed step holds more than this times the largest other step


@dataclass(frozen=True, eq=False)
class Steps:
    """The training steps of a log.

    ``numbers`` are the distinct steps, sorted. ``rank`` is the index of each rollout's step in ``numbers``. ``used`` is
    false for rollouts that a replay has replaced (bool). ``stride`` is the usual distance between two steps;
    ``missing`` are the steps that are absent at this distance; ``replayed`` are those that a resumed run repeated.
    """

    numbers: np.ndarray
    rank: np.ndarray
    used: np.ndarray
    stride: int
    missing: list[int]
    replayed: list[int] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def most_common(values: np.ndarray) -> int:
    """The number that occurs most often, the larger of two equally common ones.

    >>> most_common(np.array([8, 8, 4, 4, 16]))
    8
    """
    numbers, counts = np.unique(values, return_counts=True)
    return int(numbers[counts == counts.max()].max())


def usual_size(sizes: np.ndarray) -> int | None:
    """The number of rollouts in a step, if nearly all steps have the same number.

    >>> usual_size(np.array([64] * 9 + [16])), usual_size(np.array([60, 64, 52]))
    (64, None)
    """
    if not sizes.size:
        return None
    usual = most_common(sizes)
    return usual if (sizes == usual).mean() >= _REGULAR else None


def largest_batch(sizes: np.ndarray) -> int | None:
    """The larger of the two most common numbers of rollouts in a step, if nearly all steps have one of the two.

    Batches of a run have one size, or a size that changed once.

    >>> largest_batch(np.array([64] * 5 + [32] * 4 + [16])), largest_batch(np.array([60, 64, 52]))
    (64, None)
    """
    numbers, counts = np.unique(sizes, return_counts=True)
    two = np.argsort(counts, kind="stable")[-2:]
    regular = len(sizes) and counts[two].sum() / len(sizes) >= _REGULAR
    return int(numbers[two].max()) if regular else None


def find_steps(log: Log, samples: int | None) -> Steps:
    """The steps of a log that has steps, and which of its rollouts were replayed.

    The log is in the order in which it was written. A *stretch* of it ends where the step number goes down. Stretches
    have three causes: a resumed run, which goes back to its last checkpoint; an asynchronous run with steps that
    overlap; and files that several processes wrote side by side. A step of several stretches is *replayed* in either
    of two cases:

    - It holds more rollouts than steps of one stretch do. This counts only if at least half of the steps are of one
      stretch, or if these determine the batch size.
    - Most prompts of its earlier stretches have more rollouts in the step than a visit has samples.

    The last complete stretch of a replayed step counts, because training went on from there. A step that was not
    replayed counts with all its stretches.

    Raises LimrError where every file begins with the first step and most steps would be replayed. These are several
    runs or the processes of one run, and the log does not show which.
    """
    numbers, rank = np.unique(log.step, return_inverse=True)
    stride, missing = _missing(numbers)
    stretch = np.concatenate([[0], np.cumsum(np.diff(log.step) < 0)])
    used = np.ones(len(log), dtype=bool)
    if stretch[-1] == 0:
        return Steps(numbers, rank, used, stride, missing)
    pieces = _Pieces(log, rank, stretch, len(numbers), samples)
    replayed = np.flatnonzero(pieces.more_than_once & (pieces.too_many() | pieces.prompts_again()))
    if len(replayed) > len(numbers) / 2 and samples is None and pieces.files_side_by_side():
        raise _side_by_side(log, numbers, len(replayed))
    for step in replayed:
        of_step = rank == step
        used[of_step] = stretch[of_step] == pieces.last_complete(step)
    findings = pieces.findings(numbers, replayed)
    return Steps(numbers, rank, used, stride, missing, numbers[replayed].tolist(), findings)


def describe_steps(steps: list[int]) -> str:
    """Steps in short: consecutive ones as a range, at most five ranges.

    >>> describe_steps([3, 4, 5, 9]), describe_steps(list(range(0, 40, 2)))
    ('3 to 5, 9', '0, 2, 4, 6, 8, ... (20 in all)')
    """
    runs: list[list[int]] = []
    for step in steps:
        if runs and step == runs[-1][-1] + 1:
            runs[-1].append(step)
        else:
            runs.append([step])
    shown = [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs[:5]]
    return ", ".join(shown) + (f", ... ({len(steps):,} in all)" if len(runs) > 5 else "")


def refuse_missing_steps(log: Log, steps: Steps) -> None:
    """Raise LimrError where a step is missing in the middle: visits could then not be counted one after another."""
    if not steps.missing:
        return
    after = int(np.searchsorted(steps.numbers, steps.missing[0]))
    before, following = (log.files[log.file[np.argmax(steps.rank == row)]] for row in (after - 1, after))
    raise LimrError(
        f"step {steps.numbers[after - 1]} is followed by step {steps.numbers[after]} ({following}), but steps are"
        f" mostly {steps.stride} apart: {len(steps.missing):,} missing ({describe_steps(steps.missing)})",
        where=before,
        advice=[
            "Later visits of their prompts would be counted too early. Put the missing files back, or give the number"
            " of steps in an epoch (",
            Setting("steps_per_epoch"),
            "): the missing visits then stay missing.",
        ],
    )


def _missing(numbers: np.ndarray) -> tuple[int, list[int]]:
    """The usual distance between two steps, and the steps that are missing at this distance.

    Of two equally common distances, the smaller one is usual. A distance shorter than usual, such as that
    to the last step of training, does not mean that a step is missing.
    """
    gaps = np.diff(numbers.view(np.uint64))  # without a sign, the distance of any two steps fits
    if not gaps.size:
        return 1, []
    strides, counts = np.unique(gaps, return_counts=True)
    stride = int(strides[counts.argmax()])
    wide = np.flatnonzero(gaps > stride)
    farthest = int(gaps.argmax())
    if int(numbers[-1]) - int(numbers[0]) > _MOST_SPAN or sum(int(gap) // stride for gap in gaps[wide]) > _MOST_MISSING:
        raise LimrError(
            where="steps",
            found=f"step {numbers[farthest]}, followed by step {numbers[farthest + 1]}",
            expected=f"training steps, at most {_MOST_MISSING:,} of them missing",
            advice=["Check the step of these rollouts, or name the column that holds the step: ", Column("step"), "."],
        )
    return stride, [step for row in wide for step in range(int(numbers[row]) + stride, int(numbers[row + 1]), stride)]


class _Pieces:
    """A log cut into pieces; a piece is the rollouts of one step in one stretch.

    Steps are counted by their rank here. ``piece`` is the index of each rollout's piece. Of each piece, ``sizes`` is
    the number of rollouts, ``step`` its step and ``stretch_of_piece`` its stretch. ``totals`` is the number of rollouts
    in each step, and ``more_than_once`` is true for a step with several pieces.
    """

    def __init__(self, log: Log, rank: np.ndarray, stretch: np.ndarray, n_steps: int, samples: int | None) -> None:
        self.log, self.rank, self.stretch, self.n_steps = log, rank, stretch, n_steps
        # one integer for each pair (step, stretch): the pairs that occur are the pieces
        keys, self.piece, self.sizes = np.unique(
            rank * (stretch[-1] + 1) + stretch, return_inverse=True, return_counts=True
        )
        self.step, self.stretch_of_piece = keys // (stretch[-1] + 1), keys % (stretch[-1] + 1)
        self.totals = np.bincount(rank, minlength=n_steps)
        self.more_than_once = np.bincount(self.step, minlength=n_steps) > 1
        self.samples = samples

    def too_many(self) -> np.ndarray:
        """Steps (bool) that hold more rollouts than steps of one stretch, where those determine the batch size."""
        single = self.totals[~self.more_than_once]
        most = largest_batch(single) if len(single) >= _FEW else None
        if most is None and len(single) < self.n_steps / 2:
            return np.zeros(self.n_steps, dtype=bool)
        return self.totals > (most or _SURPLUS * single.max())

    def files_side_by_side(self) -> bool:
        """Whether each stretch is a file that begins with the first step, like files of processes that log alone."""
        starts = np.concatenate([[True], self.stretch[1:] != self.stretch[:-1]])
        new_file = np.concatenate([[True], self.log.file[1:] != self.log.file[:-1]])
        return bool((starts == new_file).all() and (self.rank[starts] == 0).all())

    def prompts_again(self) -> np.ndarray:
        """Steps (bool) where most prompts of the earlier stretches occur again, with more rollouts than a visit has."""
        n_prompts = len(self.log.prompts)
        # rollouts of each pair (step, prompt) and of each pair (piece, prompt)
        of_step, rows, counts = np.unique(
            self.rank * n_prompts + self.log.prompt, return_inverse=True, return_counts=True
        )
        _, first, piece_counts = np.unique(
            self.piece * n_prompts + self.log.prompt, return_index=True, return_counts=True
        )
        samples = self.samples or self._samples(of_step // n_prompts, counts, piece_counts)
        step = self.rank[first]
        last = np.zeros(self.n_steps, np.int64)  # the last stretch of each step
        np.maximum.at(last, self.step, self.stretch_of_piece)
        earlier = self.stretch[first] < last[step]
        # the prompt has more than a visit in the step, and not all of it in this piece: it came again
        again = (counts[rows[first]] > samples) & (piece_counts < counts[rows[first]])
        n_earlier = np.bincount(step[earlier], minlength=self.n_steps)
        return np.bincount(step[earlier & again], minlength=self.n_steps) * 2 > n_earlier

    def last_complete(self, step: int) -> int:
        """The last stretch with a piece of the step as large as other steps, or else that with the largest piece."""
        of_step = np.flatnonzero(self.step == step)
        most = self.sizes[of_step].max()
        single = self.totals[~self.more_than_once][:-1]  # the last step of a log may not have been finished
        complete = min(most, usual_size(single) or single.min(initial=most))
        return int(self.stretch_of_piece[of_step[self.sizes[of_step] >= complete][-1]])

    def findings(self, numbers: np.ndarray, replayed: np.ndarray) -> list[Finding]:
        """The findings about the stretches."""
        found = []
        kept = int(self.more_than_once.sum()) - len(replayed)
        if kept:
            text = (
                f"{kept:,} of {self.n_steps:,} steps are in several places of the log and hold no more rollouts than"
                " other steps. They are kept whole, as from an asynchronous run or from files written side by side."
            )
            found.append(Finding(FindingKind.INTERLEAVED_STEPS, text, number=kept))
        end = int(numbers[self.rank[-1]])
        if len(replayed) and end < numbers[-1]:
            text = f"The log ends at step {end}, after the run went back. Steps after {end} were logged before that."
            found.append(Finding(FindingKind.ENDS_BEFORE_LAST_STEP, text, steps=[end]))
        return found

    def _samples(self, step: np.ndarray, counts: np.ndarray, piece_counts: np.ndarray) -> int:
        """Samples of a visit: from steps of one stretch; without any, from pieces, where nearly all agree."""
        single = ~self.more_than_once[step]
        if single.any():
            return most_common(counts[single])
        usual = most_common(piece_counts)
        return usual if usual > 1 and (piece_counts == usual).mean() >= 0.9 else most_common(counts)


def _side_by_side(log: Log, numbers: np.ndarray, n_replayed: int) -> LimrError:
    return LimrError(
        f"each begins with step {numbers[0]}, and together they have more rollouts than one run has, at"
        f" {n_replayed:,} of {len(numbers):,} steps",
        where=f"{log.files[log.file[0]]}, {log.files[log.file[-1]]}",
        advice=[
            "If they are several runs, name one of them. If they are from processes of one run, give the number of"
            " samples of a visit over all processes: ",
            Setting("samples"),
            ".",
        ],
    )
