"""How far two selections agree: small cases by hand, and chance as random selections give it."""

import numpy as np
import polars as pl
import pytest
from refusals import refused

from limr.report.selection_overlap import agreement, seeds_table
from limr.selection.agreement import overlap, overlap_by_chance

PROMPTS = ["a", "b", "c", "d"]


def scores(values: list[float | None], selected: str, prompts: list[str] = PROMPTS) -> pl.DataFrame:
    members = [prompt in selected for prompt in prompts]
    types = {"prompt_id": pl.String, "score": pl.Float64, "selected": pl.Boolean}
    return pl.DataFrame({"prompt_id": prompts, "score": values, "selected": members}, types)


def test_overlap_chance_and_rank_correlation_of_two_selections() -> None:
    first, second = scores([4.0, 3, 2, 1], "ab"), scores([3.0, 1, 4, 2], "ac")
    found = agreement(first, second.sample(fraction=1, shuffle=True, seed=1))
    assert (found.overlap, found.chance) == (0.5, 0.5)
    assert found.spearman == pytest.approx(0)
    same = agreement(first, first)
    assert (same.overlap, same.spearman) == (1, 1)


def test_equal_scores_have_no_rank_correlation() -> None:
    everything = scores([1.0] * 4, "abcd")
    found = agreement(everything, everything)
    assert (found.overlap, found.chance, found.spearman) == (1, 1, None)


def test_chance_is_the_mean_overlap_of_random_selections() -> None:
    generator = np.random.default_rng(0)
    drawn = []
    for _ in range(4000):
        masks = np.zeros((2, 40))
        for mask, number in zip(masks, (5, 12), strict=True):
            mask[generator.choice(40, number, replace=False)] = 1
        drawn.append(overlap(*masks))
    assert overlap_by_chance(5, 12, 40) == pytest.approx(np.mean(drawn), abs=0.01)


def test_the_table_has_the_mean_over_all_pairs_of_seeds() -> None:
    selections = {"seed0": "ab", "seed1": "ac", "seed2": "ab"}
    rows = pl.concat(
        scores([4.0, 3, 2, 1], selected).with_columns(method=pl.lit("lim"), seed=pl.lit(seed))
        for seed, selected in selections.items()
    )
    assert seeds_table(rows).rows() == [("lim", pytest.approx((0.5 + 1 + 0.5) / 3), 0.5, 1.0)]


def test_selections_of_different_prompts_are_refused() -> None:
    with refused(what="different prompts", found="4 and 3 prompts"):
        agreement(scores([4.0, 3, 2, 1], "ab"), scores([1.0, 2, 3], "ab", PROMPTS[:3]))
