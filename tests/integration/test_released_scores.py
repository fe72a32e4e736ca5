"""Selecting by theta from the LIM scores that the authors released gives the subset that they released."""

import polars as pl
import pytest
from real_data import released_scores

from limr.selection.choose import choose
from limr.selection.ranking import rank_prompts


@pytest.fixture(scope="module")
def released() -> pl.DataFrame:
    return rank_prompts(released_scores().with_columns(reason=pl.lit("")), seed=0)


def test_theta_060_selects_exactly_the_released_subset(released):
    scores = released.drop("in_subset")
    chosen = choose(scores, {"theta": 0.6}, len(scores)).filter("selected")["prompt_id"]
    assert (len(scores), len(chosen)) == (7935, 1389)
    assert set(chosen) == set(released.filter("in_subset")["prompt_id"])


def test_the_released_number_by_rank_is_the_same_subset(released):
    scores = released.drop("in_subset")
    by_theta = choose(scores, {"theta": 0.6}, len(scores)).filter("selected")
    assert choose(scores, {"top": 1389}, len(scores)).filter("selected").equals(by_theta)


def test_a_strict_comparison_would_lose_the_65_prompts_at_060(released):
    assert (released["score"] > 0.6).sum() == 1324
    assert (released["score"] == 0.6).sum() == 65


def test_the_low_released_scores_are_not_those_of_accuracies(released):
    """Of accuracies, all prompts that were never solved would share one score (docs/methods.md)."""
    low = released.filter(pl.col("score") <= -1.82)["score"]
    assert (len(low), low.value_counts()["count"].max()) == (1310, 66)
