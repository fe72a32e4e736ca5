"""The LIM scores that the authors released, chosen from by this project's chooser: their subset comes out."""

import json

import polars as pl
import pytest
from places import REFERENCE

from limr.selection.choose import choose

FOLDER = REFERENCE / "limr"

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason=f"needs the reference data: {FOLDER} is absent")


@pytest.fixture(scope="module")
def released() -> pl.DataFrame:
    rows = json.loads((FOLDER / "scores.json").read_text(encoding="utf-8"))
    # the prompt itself is the key: two of the 7,935 differ in white space only
    return pl.DataFrame(rows).select(pl.col("prompt").alias("prompt_id"), "score", reason=pl.lit(""))


def test_theta_060_selects_exactly_the_released_subset(released):
    subset = {row["prompt"] for row in json.loads((FOLDER / "limr_train.json").read_text(encoding="utf-8"))}
    chosen = choose(released, {"theta": 0.6}, len(released)).filter("selected")["prompt_id"]
    assert (len(released), len(chosen)) == (7935, 1389)
    assert set(chosen) == subset


def test_the_released_number_by_rank_is_the_same_subset(released):
    by_theta = choose(released, {"theta": 0.6}, len(released)).filter("selected")
    assert choose(released, {"top": 1389}, len(released)).filter("selected").equals(by_theta)


def test_a_strict_comparison_would_lose_the_65_prompts_at_060(released):
    assert (released["score"] > 0.6).sum() == 1324
    assert (released["score"] == 0.6).sum() == 65
