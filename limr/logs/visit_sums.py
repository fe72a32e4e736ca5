"""Adding up rollouts by prompt and visit: one pass, in memory that grows with the visits and not with the rollouts."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# Cells that the table of visits x prompts may have, or four times as many as there were sums, whichever is more. What
# then has no place in it (one prompt with 100,000 visits where the others have five) waits in a list.
_CELLS = 1 << 24
_CELLS_A_SUM = 4

_ANY_SUM = np.errstate(over="ignore", invalid="ignore")  # one that is not finite is for the caller to find


class Sums(NamedTuple):
    """Sums over rollouts of one prompt and visit each; arrays of one length.

    ``samples`` is the sum of ``bits`` over the samples' numbers; ``correct`` is NaN where it is unknown for one of
    the rollouts.
    """

    prompt: np.ndarray  # int64, or int32 where that will do; so is the next
    visit: np.ndarray
    number: np.ndarray  # int32, of rollouts
    reward: np.ndarray  # float64
    correct: np.ndarray  # float32
    samples: np.ndarray  # of 8 to 64 bits, unsigned


_TYPES = (np.int32, np.float64, np.float32, np.uint64)  # of the last four


def bits(sample: np.ndarray) -> np.ndarray:
    """2 ** (sample modulo 64), uint64, of int64 from 0 on: their sum tells whether samples are distinct.

    >>> bits(np.array([0, 1, 5, 64])).tolist()
    [1, 2, 32, 1]
    """
    sample = sample.view(np.uint64)
    if sample.max(initial=0) > 63:
        sample = sample & np.uint64(63)
    return np.left_shift(np.uint64(1), sample)


def distinct(sums: Sums) -> np.ndarray:
    """Where the samples of a visit are certainly distinct (bool); of more than 64 samples that is never certain.

    A sum of n powers of two, even modulo 2 ** 64, has n ones in binary only where the powers are distinct.

    >>> samples = np.array([0b1011, 0b0100, 0b0111])  # 0, 1 and 3; 1 and 1; 0 to 2
    >>> distinct(Sums(*[np.zeros(3)] * 2, np.array([3, 2, 3]), *[np.zeros(3)] * 2, samples))
    array([ True, False,  True])
    """
    return np.bitwise_count(sums.samples) == sums.number


@_ANY_SUM
def sums_of_runs(
    starts: np.ndarray,
    prompt: np.ndarray,
    visit: np.ndarray,
    sample: np.ndarray,
    reward: np.ndarray,
    correct: np.ndarray,
) -> Sums:
    """Sums of runs of rollouts of one prompt and visit: ``starts``, ``prompt`` and ``visit`` have one entry a run."""
    number = np.diff(starts, append=len(reward))
    # sums of few bytes are bytes: the conversion would take longer than the addition
    of_bytes = correct.dtype == np.uint8 and number.max(initial=0) < 256
    return Sums(
        prompt,
        visit,
        number.astype(_TYPES[0]),
        np.add.reduceat(reward, starts),
        np.add.reduceat(correct, starts, dtype=np.uint8 if of_bytes else np.float64).astype(_TYPES[2]),
        _bits_of_runs(number, starts, sample),
    )


def _bits_of_runs(number: np.ndarray, starts: np.ndarray, sample: np.ndarray) -> np.ndarray:
    """The sum of ``bits`` of each run: one number for all where each has samples 0, 1, 2 and so on, as most logs do."""
    length = int(number[0])
    if (number == length).all():
        in_order = np.arange(length)
        if (sample.reshape(-1, length) == in_order).all():
            return np.full(len(starts), bits(in_order).sum())
    return np.add.reduceat(bits(sample), starts)


class VisitSums:
    """Sums by prompt and visit, both any whole numbers from 0 on, added up as rollouts come in."""

    def __init__(self) -> None:
        self._n_sums = 0
        self._n_prompts = 0
        self._n_visits = 0  # that the table holds so far
        self._table = _table(0, 0)
        self._elsewhere: list[Sums] = []
        self._n_merged = 0

    def add(self, sums: Sums) -> None:
        """Add sums, perhaps several of the same prompt and visit."""
        if not len(sums.prompt):
            return
        self._n_sums += len(sums.prompt)
        self._n_prompts = max(self._n_prompts, int(sums.prompt.max()) + 1)
        self._make_room(int(sums.visit.max()) + 1)
        width, capacity = self._table[0].shape
        inside = sums.visit < width
        if not inside.all():
            self._put_elsewhere(_rows(sums, ~inside))
            sums = _rows(sums, inside)
        self._n_visits = max(self._n_visits, int(sums.visit.max(initial=-1)) + 1)
        cell = sums.visit * capacity + sums.prompt
        self._widen(sums.samples)
        _add_at([column.reshape(-1) for column in self._table], cell, sums[2:])

    def result(self, order: np.ndarray) -> Sums:
        """One sum a prompt and visit, sorted by them; the prompts are renumbered in ``order``. Empties this object."""
        table, self._table = self._table, _table(0, 0)
        turned = []
        while table:  # each gives its memory to the next: what was never used before costs more than the sorting
            turned.insert(0, _by_prompt(table.pop()[: self._n_visits], order))
        inside = _cells_used(turned)
        if not self._elsewhere:
            return inside
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        outside = [sums._replace(prompt=rank[sums.prompt]) for sums in self._elsewhere]
        self._elsewhere.clear()
        return _merged([inside, *outside])

    def _make_room(self, n_visits: int) -> None:
        """Make the table as wide as it may be: memory that nothing was written to is not taken."""
        width, capacity = self._table[0].shape
        if n_visits <= width and self._n_prompts <= capacity:
            return
        longer = self._n_prompts * 9 // 8 if self._n_prompts > capacity else capacity
        wider = max(_CELLS, _CELLS_A_SUM * self._n_sums) // longer
        if wider <= width and longer == capacity:
            return
        table = _table(wider, longer, self._table[-1].dtype)
        if wider < self._n_visits:
            kept = _cells_used([column[: self._n_visits].T for column in self._table])
            self._put_elsewhere(kept)
            self._n_visits = 0
        for old, new in zip(self._table, table, strict=True):
            new[: self._n_visits, :capacity] = old[: self._n_visits]
        self._table = table

    def _widen(self, samples: np.ndarray) -> None:
        """Give the sums of samples' bits as many bits as the highest needs: eight will do for eight samples.

        What was lost of a sum of more bits has come from samples that are not distinct; it has too few ones for good.
        """
        needed = np.min_scalar_type(int(samples.max(initial=0)))
        if needed.itemsize > self._table[-1].itemsize:
            self._table[-1] = self._table[-1].astype(needed)

    def _put_elsewhere(self, sums: Sums) -> None:
        self._elsewhere.append(sums)
        if sum(len(sums.prompt) for sums in self._elsewhere) > _CELLS + 2 * self._n_merged:
            self._elsewhere = [_merged(self._elsewhere)]
            self._n_merged = len(self._elsewhere[0].prompt)


def _table(n_visits: int, n_prompts: int, of_samples: np.dtype | type = np.uint8) -> list[np.ndarray]:
    return [np.zeros((n_visits, n_prompts), dtype) for dtype in (*_TYPES[:-1], of_samples)]


def _by_prompt(column: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Visits x prompts as prompts x visits, the prompts in ``order``."""
    turned = np.empty((len(order), len(column)), column.dtype)
    for visit, row in enumerate(column):
        turned[:, visit] = row[order]
    return turned


def _rows(sums: Sums, keep: np.ndarray) -> Sums:
    return Sums(*(column[keep] for column in sums))


def _cells_used(columns: list[np.ndarray]) -> Sums:
    """The cells of a table of prompts x visits that hold a sum."""
    n_prompts, n_visits = columns[0].shape
    if columns[0].all():
        prompt = np.repeat(np.arange(n_prompts, dtype=np.int32), n_visits)
        visit = np.tile(np.arange(n_visits, dtype=np.int32), n_prompts)
        return Sums(prompt, visit, *(column.reshape(-1) for column in columns))
    prompt, visit = columns[0].nonzero()
    return Sums(prompt, visit, *(column[prompt, visit] for column in columns))


@_ANY_SUM
def _add_at(columns: Sequence[np.ndarray], cell: np.ndarray, values: Sequence[np.ndarray]) -> None:
    for column, of_column in zip(columns, values, strict=True):
        np.add.at(column, cell, of_column.astype(column.dtype, copy=False))


def _merged(parts: list[Sums]) -> Sums:
    """One sum a prompt and visit, sorted by them."""
    prompt, visit, *columns = (np.concatenate(column) for column in zip(*parts, strict=True))
    numbers, rank = np.unique(visit, return_inverse=True)
    keys, cell = np.unique(prompt * len(numbers) + rank, return_inverse=True)
    added = [np.zeros(len(keys), dtype) for dtype in _TYPES]
    _add_at(added, cell, columns)
    return Sums(keys // len(numbers), numbers[keys % len(numbers)], *added)
