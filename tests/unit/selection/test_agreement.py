"""Agreement of two scores: against plain Python, and against every way of breaking ties."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_agreement import rank_correlation

from limr.selection.agreement import overlap, spearman, top

NONE = np.nan

few_values = st.sampled_from([0.0, 0.25, 0.5, NONE])
pairs_of_scores = st.integers(1, 12).flatmap(
    lambda size: st.tuples(*[st.lists(few_values, min_size=size, max_size=size)] * 2)
)


@given(pairs_of_scores)
def test_rank_correlation_is_that_of_plain_python(scores):
    expected = rank_correlation(*scores)
    found = spearman(*map(np.array, scores))
    assert np.isnan(found) if expected is None else found == pytest.approx(expected, abs=1e-12)


@given(st.lists(few_values, min_size=1, max_size=6), st.integers(1, 6))
def test_a_prompt_that_ties_at_the_cut_counts_as_on_average_over_all_ways_of_breaking_ties(scores, number):
    known = [row for row, score in enumerate(scores) if score == score]
    counts, orders = [0] * len(scores), list(permutations(known))
    for order in orders:  # a stable sort of every order: every way of breaking ties
        for row in sorted(order, key=lambda row: -scores[row])[:number]:
            counts[row] += 1
    assert top(np.array(scores), number).tolist() == pytest.approx([count / len(orders) for count in counts])


@given(pairs_of_scores, st.integers(1, 12))
def test_overlap_is_symmetric_between_0_and_1_and_1_with_itself(scores, number):
    first, second = (top(np.array(each), number) for each in scores)
    found = overlap(first, second)
    if np.isnan(found):
        assert not first.any() and not second.any()
    else:
        assert 0 <= found <= 1 and found == overlap(second, first)
    assert not first.any() or overlap(first, first) == 1


def test_without_ties_overlap_is_the_share_of_one_selection_that_is_in_the_other():
    generator = np.random.default_rng(0)
    one, other = generator.random(50), generator.random(50)
    best = [set(np.argsort(-scores)[:20]) for scores in (one, other)]
    assert overlap(top(one, 20), top(other, 20)) == len(best[0] & best[1]) / 20


def test_the_overlap_with_a_constant_score_is_the_one_expected_by_chance():
    scores = np.random.default_rng(0).random(200)
    assert overlap(top(np.ones(200), 30), top(scores, 30)) == pytest.approx(0.15)
