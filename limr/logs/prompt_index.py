"""An index of prompts for streams of millions of rollouts: whole arrays of hashes are looked up at once.

A Python dictionary would look up one prompt at a time. This is a part of ``own_rollouts.py``, which
``tests/benchmarks/benchmark_trajectories.py`` measures.
"""

from collections.abc import Callable

import numpy as np
import polars as pl


class PromptIndex:
    """Gives each prompt a row, 0, 1, 2, ... in the order of its first rollout, by a hash of 64 bits.

    The chance that any two of a million prompts share a hash, and would be taken for one prompt, is 1 in 37 million.

    The hash table has open addressing: a prompt takes the first free place at or after its hash, modulo the length
    of the table. The length is a power of two, so that the modulo is the lowest bits of the hash.

    >>> index = PromptIndex()
    >>> names = pl.Series(["b", "a", "b"])
    >>> index.rows(np.array([7, 5, 7], np.uint64), lambda new: names.gather(new)).tolist(), index.ids
    ([1, 0, 1], ['a', 'b'])
    """

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._hashes = np.empty(0, np.uint64)  # of each row
        self._table = np.full(1, -1, np.int32)  # place -> row, -1 where the place is free

    def rows(self, hashes: np.ndarray, ids: Callable[[np.ndarray], pl.Series]) -> np.ndarray:
        """The row of each hash. New prompts are added; ``ids`` maps their positions in ``hashes`` to their names."""
        rows = self._find(hashes)
        unknown = np.flatnonzero(rows < 0)
        if len(unknown):
            new, first = np.unique(hashes[unknown], return_index=True)
            self._insert(new)
            self.ids += ids(unknown[first]).to_list()
            rows[unknown] = self._find(hashes[unknown])
        return rows

    def _find(self, hashes: np.ndarray) -> np.ndarray:
        """The row of each hash, -1 where it is not in the table."""
        if not self.ids:
            return np.full(len(hashes), -1)
        rows = self._table[self._places(hashes)]
        # A row of -1 picks the last hash here, which differs; such rows leave the loop in its condition.
        wrong = np.flatnonzero(self._hashes[rows] != hashes)
        distance = 0
        while len(wrong := wrong[rows[wrong] >= 0]):  # another prompt has this place: look one place further
            distance += 1
            rows[wrong] = self._table[self._places(hashes[wrong] + np.uint64(distance))]
            wrong = wrong[self._hashes[rows[wrong]] != hashes[wrong]]
        return rows

    def _insert(self, hashes: np.ndarray) -> None:
        """Add distinct hashes that are not in the table."""
        rows = np.arange(len(self.ids), len(self.ids) + len(hashes))
        self._hashes = np.concatenate([self._hashes, hashes])
        if len(self._table) < 2 * len(self._hashes):  # keep half of the places free; insert every row anew
            self._table = np.full(4 << len(self._hashes).bit_length(), -1, np.int32)
            rows = np.arange(len(self._hashes))
        distance = 0
        while len(rows):
            places = self._places(self._hashes[rows] + np.uint64(distance))
            free = self._table[places] < 0
            self._table[places[free]] = rows[free]
            # Where several rows want one place, NumPy keeps the last. The others try the next place, as do rows whose
            # place was taken before.
            rows = rows[self._table[places] != rows]
            distance += 1

    def _places(self, hashes: np.ndarray) -> np.ndarray:
        return (hashes & np.uint64(len(self._table) - 1)).view(np.int64)
