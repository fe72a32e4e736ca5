"""Sums of rollouts by prompt and visit, in memory that grows with the visits and not with the rollouts.

This module exists for speed: adding into a dense table of visits and prompts needs no sorting and no hashing by visit.
It is a part of ``own_rollouts.py``, which ``tests/benchmarks/benchmark_trajectories.py`` measures against a bare Polars
scan.

The table has a row per visit and a column per prompt. It is allocated far wider than needed: the operating system gives
memory to a page only when something is written to it. Visits with no place in the table, such as those of one prompt
with 100,000 visits where the others have five, wait in a list.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# The table has at most this many cells, or four times the number of sums so far, whichever is more.
_CELLS = 1 << 24
_CELLS_A_SUM = 4

_ALLOW_INFINITE_SUMS = np.errstate(over="ignore", invalid="ignore")  # the caller checks whether sums are finite


class Sums(NamedTuple):
    """Sums over rollouts; the arrays have one entry for each sum, which is of one prompt and visit.

    ``samples`` is the sum of ``bits`` of the sample numbers. ``correct`` is NaN where one of the rollouts has none.
    """

    prompt: np.ndarray  # int64, or int32 where that is wide enough
    visit: np.ndarray  # the same
    number: np.ndarray  # int32, number of rollouts
    reward: np.ndarray  # float64
    correct: np.ndarray  # float32
    samples: np.ndarray  # unsigned, 8 to 64 bits


_TYPES = (np.int32, np.float64, np.float32, np.uint64)  # of number, reward, correct, samples


def bits(sample: np.ndarray) -> np.ndarray:
    """2 ** (sample modulo 64) as uint64, for samples (int64) of at least 0.

    >>> bits(np.array([0, 1, 5, 64])).tolist()
    [1, 2, 32, 1]
    """
    sample = sample.view(np.uint64)
    if sample.max(initial=0) > 63:
        sample = sample & np.uint64(63)
    return np.left_shift(np.uint64(1), sample)


def distinct(sums: Sums) -> np.ndarray:
    """Whether the samples of each visit are certainly distinct (bool). With more than 64 samples it is never certain.

    A sum of n powers of two, even modulo 2 ** 64, has n ones in binary only if the powers are distinct: two equal
    powers add up to a single one.

    >>> samples = np.array([0b1011, 0b0100, 0b0111])  # samples 0, 1, 3; samples 1, 1; samples 0, 1, 2
    >>> distinct(Sums(*[np.zeros(3)] * 2, np.array([3, 2, 3]), *[np.zeros(3)] * 2, samples))
    array([ True, False,  True])
    """
    return np.bitwise_count(sums.samples) == sums.number


@_ALLOW_INFINITE_SUMS
def sums_of_runs(
    starts: np.ndarray,
    prompt: np.ndarray,
    visit: np.ndarray,
    sample: np.ndarray,
    reward: np.ndarray,
    correct: np.ndarray,
) -> Sums:
    """Sums of runs of rollouts. ``starts``, ``prompt`` and ``visit`` have one entry per run, the others per rollout."""
    number = np.diff(starts, append=len(reward))
    # Fewer than 256 values of 0 and 1 fit into a byte. Converting them first would take longer than adding them.
    fits_byte = correct.dtype == np.uint8 and number.max(initial=0) < 256
    return Sums(
        prompt,
        visit,
        number.astype(_TYPES[0]),
        np.add.reduceat(reward, starts),
        np.add.reduceat(correct, starts, dtype=np.uint8 if fits_byte else np.float64).astype(_TYPES[2]),
        _bits_of_runs(number, starts, sample),
    )


def _bits_of_runs(number: np.ndarray, starts: np.ndarray, sample: np.ndarray) -> np.ndarray:
    """The sum of ``bits`` of each run."""
    length = int(number[0])
    if (number == length).all():  # the usual log: every run has samples 0, 1, 2, ..., so that one sum serves all
        in_order = np.arange(length)
        if (sample.reshape(-1, length) == in_order).all():
            return np.full(len(starts), bits(in_order).sum())
    return np.add.reduceat(bits(sample), starts)


class VisitSums:
    """Adds up sums by prompt and visit as they come in; prompts and visits are any integers from 0 on."""

    def __init__(self) -> None:
        self._n_sums = 0
        self._n_prompts = 0
        self._n_visits = 0  # rows of the table that hold something
        self._table = _table(0, 0)
        self._elsewhere: list[Sums] = []  # sums with no place in the table
        self._n_merged = 0

    def add(self, sums: Sums) -> None:
        """Add sums; several may be of the same prompt and visit."""
        if not len(sums.prompt):
            return
        self._n_sums += len(sums.prompt)
        self._n_prompts = max(self._n_prompts, int(sums.prompt.max()) + 1)
        self._make_room(int(sums.visit.max()) + 1)
        height, capacity = self._table[0].shape
        inside = sums.visit < height
        if not inside.all():
            self._put_elsewhere(_rows(sums, ~inside))
            sums = _rows(sums, inside)
        self._n_visits = max(self._n_visits, int(sums.visit.max(initial=-1)) + 1)
        cell = sums.visit * capacity + sums.prompt  # position in the flat table
        self._widen(sums.samples)
        _add_at([column.reshape(-1) for column in self._table], cell, sums[2:])

    def result(self, order: np.ndarray) -> Sums:
        """One sum for each prompt and visit, sorted by them; the prompts are renumbered in ``order``.

        Empties this object.
        """
        table, self._table = self._table, _table(0, 0)
        columns = []
        # One column after the other is freed, so that the next can use its memory: new pages cost more than the sort.
        while table:
            columns.insert(0, _by_prompt(table.pop()[: self._n_visits], order))
        inside = _cells_used(columns)
        if not self._elsewhere:
            return inside
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        outside = [sums._replace(prompt=rank[sums.prompt]) for sums in self._elsewhere]
        self._elsewhere.clear()
        return _merged([inside, *outside])

    def _make_room(self, n_visits: int) -> None:
        """Give the table as many rows as it may have; pages that nothing is written to take no memory."""
        height, capacity = self._table[0].shape
        if n_visits <= height and self._n_prompts <= capacity:
            return
        more_prompts = self._n_prompts * 9 // 8 if self._n_prompts > capacity else capacity
        more_visits = max(_CELLS, _CELLS_A_SUM * self._n_sums) // more_prompts
        if more_visits <= height and more_prompts == capacity:
            return
        table = _table(more_visits, more_prompts, self._table[-1].dtype)
        if more_visits < self._n_visits:  # so many prompts that the visits so far have no place: set them aside
            self._put_elsewhere(_cells_used([column[: self._n_visits].T for column in self._table]))
            self._n_visits = 0
        for old, new in zip(self._table, table, strict=True):
            new[: self._n_visits, :capacity] = old[: self._n_visits]
        self._table = table

    def _widen(self, samples: np.ndarray) -> None:
        """Give the sums of bits as many bits as the highest sample needs: 8 bits for 8 samples.

        A sum that was too large for fewer bits has lost a carry. Only duplicate samples carry, and such a sum has too
        few ones from then on, so that ``distinct`` still detects it.
        """
        needed = np.min_scalar_type(int(samples.max(initial=0)))
        if needed.itemsize > self._table[-1].itemsize:
            self._table[-1] = self._table[-1].astype(needed)

    def _put_elsewhere(self, sums: Sums) -> None:
        self._elsewhere.append(sums)
        # merge only when the list has doubled since the last merge: the work stays in proportion to what came in
        if sum(len(sums.prompt) for sums in self._elsewhere) > _CELLS + 2 * self._n_merged:
            self._elsewhere = [_merged(self._elsewhere)]
            self._n_merged = len(self._elsewhere[0].prompt)


def _table(n_visits: int, n_prompts: int, samples_type: np.dtype | type = np.uint8) -> list[np.ndarray]:
    """Empty columns number, reward, correct, samples, each [visits, prompts]."""
    return [np.zeros((n_visits, n_prompts), dtype) for dtype in (*_TYPES[:-1], samples_type)]


def _by_prompt(column: np.ndarray, order: np.ndarray) -> np.ndarray:
    """[visits, prompts] as [prompts, visits], with the prompts in ``order``."""
    turned = np.empty((len(order), len(column)), column.dtype)
    for visit, row in enumerate(column):
        turned[:, visit] = row[order]
    return turned


def _rows(sums: Sums, keep: np.ndarray) -> Sums:
    return Sums(*(column[keep] for column in sums))


def _cells_used(columns: list[np.ndarray]) -> Sums:
    """The cells of a table [prompts, visits] that hold a sum: those with at least one rollout."""
    n_prompts, n_visits = columns[0].shape
    if columns[0].all():
        prompt = np.repeat(np.arange(n_prompts, dtype=np.int32), n_visits)
        visit = np.tile(np.arange(n_visits, dtype=np.int32), n_prompts)
        return Sums(prompt, visit, *(column.reshape(-1) for column in columns))
    prompt, visit = columns[0].nonzero()
    return Sums(prompt, visit, *(column[prompt, visit] for column in columns))


@_ALLOW_INFINITE_SUMS
def _add_at(columns: Sequence[np.ndarray], cell: np.ndarray, values: Sequence[np.ndarray]) -> None:
    """Add ``values`` to the cells of each column; a cell may occur several times, which ``+=`` would add once."""
    for column, of_column in zip(columns, values, strict=True):
        np.add.at(column, cell, of_column.astype(column.dtype, copy=False))


def _merged(parts: list[Sums]) -> Sums:
    """One sum for each prompt and visit, sorted by them."""
    prompt, visit, *columns = (np.concatenate(column) for column in zip(*parts, strict=True))
    # visits are replaced by their ranks, so that the pair (prompt, visit) fits into one integer
    numbers, rank = np.unique(visit, return_inverse=True)
    keys, cell = np.unique(prompt * len(numbers) + rank, return_inverse=True)
    added = [np.zeros(len(keys), dtype) for dtype in _TYPES]
    _add_at(added, cell, columns)
    return Sums(keys // len(numbers), numbers[keys % len(numbers)], *added)
