"""The steps from MATH to the training set and the development set."""

import polars as pl
import pytest
from refusals import refused
from some_problems import problems

from limr.data import published
from limr.data.math import select


@pytest.fixture
def small_list(monkeypatch):
    """Ten problems of level 3 (two are not in the published list) and four easier problems."""
    hard, easy = problems(*(f"hard {n}" for n in range(10))), problems(*(f"easy {n}" for n in range(4)), level=1)
    kept = hard["prompt_id"][:8].to_list()
    released = {"rows": 8, "digest": published.ids_digest(kept), "left_out": hard["prompt_id"][8:].to_list()}
    monkeypatch.setattr(published, "_released", lambda: released)
    return pl.concat([hard, easy, problems("tested")])


def test_with_the_published_list_the_other_problems_are_the_development_set(small_list):
    steps, chosen, development = select(small_list, problems("tested"), "published")
    assert [len(left) for _, left in steps] == [15, 14, 10, 8]
    assert len(chosen) == 8 and development["prompt"].to_list() == ["hard 8", "hard 9"]


def test_level3plus_trains_on_all_hard_problems_and_develops_on_easier_ones(small_list):
    steps, chosen, development = select(small_list, problems("tested"), "level3plus")
    assert [len(left) for _, left in steps] == [15, 14, 10]
    assert len(chosen) == 10 and len(development) == 2
    assert set(development["level"]) == {1}
    assert development["prompt_id"].is_sorted()


def test_problems_of_unknown_level_are_selected(small_list):
    unknown = small_list.with_columns(
        level=pl.when(pl.col("prompt") == "hard 0").then(None).otherwise("level").cast(pl.Int64)
    )
    assert len(select(unknown, problems("tested"), "published")[1]) == 8


def test_other_problems_than_those_of_the_published_list_are_refused(small_list):
    fewer = small_list.filter(pl.col("prompt") != "hard 0")
    with refused(where="MATH-FULL", found="7 problems with digest", expected="the published 8 with digest"):
        select(fewer, problems("tested"), "published")


def test_an_unknown_choice_of_prompts_is_refused(small_list):
    with refused(where="data.prompts", found='"all"', expected="one of published, level3plus"):
        select(small_list, problems("tested"), "all")
