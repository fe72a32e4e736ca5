"""The training steps of a log: which are missing, and which were done again by a run that was resumed."""

from dataclasses import dataclass, field

import numpy as np

from limr.errors import LimrError
from limr.logs.log import Log

_REGULAR = 0.8  # share of the steps that hold the same number of rollouts, where a run has batches of one size
_FEW = 3  # steps of one stretch that tell how large batches are, where they are alike
_SURPLUS = 1.5  # times the largest other step: what a step holds that was done again, where they have not


@dataclass(frozen=True, eq=False)
class Steps:
    """What a log says about training steps.

    ``numbers`` are the distinct steps, sorted; ``rank`` is the row of each rollout's step in them, ``used`` whether
    the rollout is one that training kept (bool). ``stride`` is how steps mostly follow one another, ``missing`` are
    the numbers that are left out by it, ``replayed`` those that were done again.
    """

    numbers: np.ndarray
    rank: np.ndarray
    used: np.ndarray
    stride: int
    missing: list[int]
    replayed: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def most_common(values: np.ndarray) -> int:
    """The number that occurs most often, the larger of two that are as common.

    >>> most_common(np.array([8, 8, 4, 4, 16]))
    8
    """
    numbers, counts = np.unique(values, return_counts=True)
    return int(numbers[counts == counts.max()].max())


def usual_size(sizes: np.ndarray) -> int | None:
    """The number of rollouts that steps hold, where nearly all hold as many.

    >>> usual_size(np.array([64] * 9 + [16])), usual_size(np.array([60, 64, 52]))
    (64, None)
    """
    if not sizes.size:
        return None
    usual = most_common(sizes)
    return usual if (sizes == usual).mean() >= _REGULAR else None


def largest_batch(sizes: np.ndarray) -> int | None:
    """The larger of the two numbers of rollouts that nearly all steps hold: batches of one size, or changed once.

    >>> largest_batch(np.array([64] * 5 + [32] * 4 + [16])), largest_batch(np.array([60, 64, 52]))
    (64, None)
    """
    numbers, counts = np.unique(sizes, return_counts=True)
    two = np.argsort(counts, kind="stable")[-2:]
    regular = len(sizes) and counts[two].sum() / len(sizes) >= _REGULAR
    return int(numbers[two].max()) if regular else None


def look_at_steps(log: Log, samples: int | None) -> Steps:
    """The steps of a log that has them, and what of it was done again.

    The log is in the order in which it was written. A *stretch* of it ends where the step goes down. Stretches come
    from a resumed run, which goes back to its last checkpoint, from an asynchronous one, whose steps overlap, and from
    files that several processes wrote side by side. A step of several stretches was *replayed*

    - when it holds more rollouts than steps of one stretch do, if at least half of the steps are such, or some that
      tell how large batches are;
    - or when most of the prompts of its earlier stretches have more rollouts in it than a visit has samples.

    Of a replayed step the last stretch counts that is whole: what training went on from. A step that was not replayed
    counts whole, from whatever stretches.

    Raises LimrError where every file begins with the first step and most steps would be replayed: several runs, or the
    processes of one, and nothing tells which.
    """
    numbers, rank = np.unique(log.step, return_inverse=True)
    stride, missing = _missing(numbers)
    stretch = np.concatenate([[0], np.cumsum(np.diff(log.step) < 0)])
    used = np.ones(len(log), dtype=bool)
    if stretch[-1] == 0:
        return Steps(numbers, rank, used, stride, missing)
    pieces = _Pieces(log, rank, stretch, len(numbers), samples)
    replayed = np.flatnonzero(pieces.more_than_once & (pieces.too_many() | pieces.again()))
    if len(replayed) > len(numbers) / 2 and samples is None and pieces.files_side_by_side():
        raise _side_by_side(log, numbers, len(replayed))
    for step in replayed:
        of_step = rank == step
        used[of_step] = stretch[of_step] == pieces.last_whole(step)
    return Steps(numbers, rank, used, stride, missing, numbers[replayed].tolist(), pieces.notes(numbers, replayed))


def describe_steps(steps: list[int]) -> str:
    """Steps as a person writes them.

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


def _missing(numbers: np.ndarray) -> tuple[int, list[int]]:
    """How steps mostly follow one another (the least of two strides that are as common), and what that leaves out.

    A step that comes sooner than usual (the last one of training, say) leaves nothing out.
    """
    gaps = np.diff(numbers)
    if not gaps.size:
        return 1, []
    strides, counts = np.unique(gaps, return_counts=True)
    stride = int(strides[counts.argmax()])
    wide = np.flatnonzero(gaps > stride)
    return stride, [step for row in wide for step in range(int(numbers[row]) + stride, int(numbers[row + 1]), stride)]


class _Pieces:
    """A log cut into pieces: what one stretch holds of one step."""

    def __init__(self, log: Log, rank: np.ndarray, stretch: np.ndarray, n_steps: int, samples: int | None) -> None:
        self.log, self.rank, self.stretch, self.n_steps = log, rank, stretch, n_steps
        keys, self.piece, self.sizes = np.unique(
            rank * (stretch[-1] + 1) + stretch, return_inverse=True, return_counts=True
        )
        self.step, self.stretch_of_piece = keys // (stretch[-1] + 1), keys % (stretch[-1] + 1)
        self.totals = np.bincount(rank, minlength=n_steps)
        self.more_than_once = np.bincount(self.step, minlength=n_steps) > 1
        self.samples = samples

    def too_many(self) -> np.ndarray:
        """Steps (bool) that hold more rollouts than steps of one stretch, where such steps are the rule or alike."""
        single = self.totals[~self.more_than_once]
        most = largest_batch(single) if len(single) >= _FEW else None
        if most is None and len(single) < self.n_steps / 2:
            return np.zeros(self.n_steps, dtype=bool)
        return self.totals > (most or _SURPLUS * single.max())

    def files_side_by_side(self) -> bool:
        """Whether each stretch is a file that begins with the first step, as of processes that log on their own."""
        starts = np.concatenate([[True], self.stretch[1:] != self.stretch[:-1]])
        same = np.concatenate([[True], self.log.file[1:] != self.log.file[:-1]])
        return bool((starts == same).all() and (self.rank[starts] == 0).all())

    def again(self) -> np.ndarray:
        """Steps (bool) most of whose earlier prompts come again: with more rollouts than a visit has samples."""
        n_prompts = len(self.log.prompts)
        of_step, rows, counts = np.unique(
            self.rank * n_prompts + self.log.prompt, return_inverse=True, return_counts=True
        )
        _, first, piece_counts = np.unique(
            self.piece * n_prompts + self.log.prompt, return_index=True, return_counts=True
        )
        samples = self.samples or self._samples(of_step // n_prompts, counts, piece_counts)
        step = self.rank[first]
        last = np.zeros(self.n_steps, np.int64)
        np.maximum.at(last, self.step, self.stretch_of_piece)
        earlier = self.stretch[first] < last[step]
        surplus = (counts[rows[first]] > samples) & (piece_counts < counts[rows[first]])
        n_earlier = np.bincount(step[earlier], minlength=self.n_steps)
        return np.bincount(step[earlier & surplus], minlength=self.n_steps) * 2 > n_earlier

    def last_whole(self, step: int) -> int:
        """The last stretch that holds as much of the step as steps of one stretch hold, or else the most of it."""
        mine = np.flatnonzero(self.step == step)
        most = self.sizes[mine].max()
        single = self.totals[~self.more_than_once][:-1]  # the last step of a log may not have been finished
        whole = min(most, usual_size(single) or single.min(initial=most))
        return int(self.stretch_of_piece[mine[self.sizes[mine] >= whole][-1]])

    def notes(self, numbers: np.ndarray, replayed: np.ndarray) -> list[str]:
        """What a person should know of stretches."""
        found = []
        kept = int(self.more_than_once.sum()) - len(replayed)
        if kept:
            found.append(
                f"{kept:,} of {self.n_steps:,} steps stand in several places of the log and hold no more rollouts than"
                " others: taken for an asynchronous run, or several files side by side, and kept whole."
            )
        if len(replayed):
            end = numbers[self.rank[-1]]
            if end < numbers[-1]:
                found.append(
                    f"The log ends at step {end}, after the run went back; steps after {end} are those from before."
                )
        return found

    def _samples(self, step: np.ndarray, counts: np.ndarray, piece_counts: np.ndarray) -> int:
        """Samples of a visit: from steps of one stretch; else a piece's, where almost all pieces have as many."""
        single = ~self.more_than_once[step]
        if single.any():
            return most_common(counts[single])
        usual = most_common(piece_counts)
        return usual if usual > 1 and (piece_counts == usual).mean() >= 0.9 else most_common(counts)


def _side_by_side(log: Log, numbers: np.ndarray, n_replayed: int) -> LimrError:
    return LimrError(
        f"{log.files[log.file[0]]}, {log.files[log.file[-1]]}: each begins with step {numbers[0]}, and together they"
        f" have more rollouts than one run has at {n_replayed:,} of {len(numbers):,} steps. If they are several runs,"
        " point at one of them; if processes of one run wrote them, say how many samples a visit has in all"
        " (samples, --samples)"
    )


def refuse_missing_steps(log: Log, steps: Steps) -> None:
    """Raise LimrError where a step is missing in the middle and visits are to be counted one after another."""
    if not steps.missing:
        return
    after = int(np.searchsorted(steps.numbers, steps.missing[0]))
    before, next_ = (log.files[log.file[np.argmax(steps.rank == row)]] for row in (after - 1, after))
    raise LimrError(
        f"{before}: after step {steps.numbers[after - 1]} the log goes on with step {steps.numbers[after]} ({next_}),"
        f" while steps mostly follow one another by {steps.stride}: {len(steps.missing):,} of them missing"
        f" ({describe_steps(steps.missing)}). Later visits of their prompts would be counted too early. Put the files"
        " back, or say how many steps an epoch has (steps_per_epoch, --steps-per-epoch): what is missing then stays a"
        " hole."
    )
