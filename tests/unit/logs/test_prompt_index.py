"""The index of prompts against a dictionary."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from limr.logs.prompt_index import PromptIndex

# few distinct hashes whose lowest bits agree: many prompts want the same place
HASHES = st.integers(0, 40).map(lambda number: number << 50 | number % 3)


@given(st.lists(st.lists(HASHES, min_size=1, max_size=30), min_size=1, max_size=6))
def test_every_hash_has_one_row_that_never_changes(batches):
    index, expected = PromptIndex(), {}
    for batch in batches:
        hashes = np.array(batch, np.uint64)
        names = pl.Series([f"prompt {number}" for number in batch])
        rows = index.rows(hashes, lambda new, names=names: names.gather(new))
        for number, row in zip(batch, rows.tolist(), strict=True):
            assert expected.setdefault(number, row) == row
            assert index.ids[row] == f"prompt {number}"
    assert sorted(expected.values()) == list(range(len(index.ids)))
