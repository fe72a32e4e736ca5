"""Sums by prompt and visit equal those of a dictionary, for visits inside and outside the table."""

import random
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limr.logs import visit_sums
from limr.logs.visit_sums import VisitSums, bits, distinct, sums_of_runs


@settings(max_examples=60)
@given(st.integers(0, 10**9), st.sampled_from([3, 300, 10**12]), st.sampled_from([1, 16, 1 << 20]))
def test_sums_equal_those_of_a_dictionary(seed, most_visits, cells):
    generator = random.Random(seed)
    expected: dict[tuple[int, int], list[float]] = defaultdict(lambda: [0, 0.0])
    sums = VisitSums()
    with pytest.MonkeyPatch.context() as patch:  # small tables, so that every path is taken
        patch.setattr(visit_sums, "_CELLS", cells)
        patch.setattr(visit_sums, "_CELLS_A_SUM", generator.choice([1, 4]))
        for _ in range(generator.randint(1, 4)):
            size = generator.randint(1, 30)
            prompt = [generator.randrange(20) for _ in range(size)]
            visit = [generator.randrange(most_visits) for _ in range(size)]
            reward = [generator.choice([1.0, -0.5, -1.0]) for _ in range(size)]
            for key, value in zip(zip(prompt, visit, strict=True), reward, strict=True):
                expected[key] = [expected[key][0] + 1, expected[key][1] + value]
            arrays = (np.array(values) for values in (prompt, visit, [0] * size, reward, [1] * size))
            sums.add(sums_of_runs(np.arange(size), *arrays))
        n_prompts = max(prompt for prompt, _ in expected) + 1
        order = np.array(generator.sample(range(n_prompts), n_prompts))
        found = sums.result(order)
    rows = list(zip(found.prompt.tolist(), found.visit.tolist(), strict=True))
    assert rows == sorted(rows), "sorted by the new number of the prompt, then by visit"
    old = [(int(order[prompt]), visit) for prompt, visit in rows]
    values = zip(found.number.tolist(), found.reward.tolist(), strict=True)
    assert dict(zip(old, map(list, values), strict=True)) == expected


@given(st.lists(st.integers(0, 63), min_size=1, max_size=64))
def test_the_sum_of_bits_shows_whether_samples_are_distinct(samples):
    sums = sums_of_runs(
        np.array([0]), np.array([0]), np.array([0]), np.array(samples), np.ones(len(samples)), np.ones(len(samples))
    )
    assert distinct(sums).tolist() == [len(set(samples)) == len(samples)]


def test_duplicate_samples_in_separate_sums_are_detected():
    sums = VisitSums()
    for sample in (7, 7, 60):
        one = np.array([0])
        sums.add(sums_of_runs(one, one, one, np.array([sample]), np.ones(1), np.ones(1)))
    assert not distinct(sums.result(np.array([0]))).any()
    assert bits(np.array([63])).tolist() == [2**63]
