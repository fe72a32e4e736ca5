"""The subset of a training set: the selected prompts with all columns of the training set, and their scores."""

import polars as pl
import pytest
from refusals import refused

from limr.files.contracts import check
from limr.subsets.subset_of_prompts import subset_of_prompts

NAMES = ["prompt_id", "prompt", "answer", "level", "subject", "source", "gradable"]
PROMPTS = pl.DataFrame(
    [(name, f"What is {name}?", "1", 3, "Algebra", "test", True) for name in ("solved", "never", "late")],
    NAMES,
    orient="row",
)
SCORES = pl.DataFrame(
    {
        "method": "lim",
        "prompt_id": ["late", "solved", "never"],
        "score": [0.6, 0.1, 0.0],
        "rank": [1, 2, 3],
        "selected": [True, True, False],
        "reason": ["", "", "below theta 0.1: score 0.0"],
    }
)


def test_the_subset_has_the_prompts_columns_in_their_order_and_the_score():
    found = subset_of_prompts(SCORES, PROMPTS)
    check(found, "subset", "test")
    assert found.select("prompt_id", "score").rows() == [("solved", 0.1), ("late", 0.6)]
    assert found.select(NAMES).rows() == [PROMPTS.row(0), PROMPTS.row(2)]


@pytest.mark.parametrize(
    ("scores", "prompts", "parts"),
    [
        (
            SCORES,
            PROMPTS[1:2],
            {
                "where": ("scores", "prompt late"),
                "what": "2 of the 2 selected prompts are not among the 1 prompt of the training set",
                "advice": "another training set",
            },
        ),
        (
            SCORES.with_columns(selected=pl.lit(False)),
            PROMPTS,
            {"where": "scores", "what": "none of the 3 prompts is selected"},
        ),
    ],
)
def test_prompts_of_another_training_set_and_an_empty_selection_are_refused(scores, prompts, parts):
    with refused(**parts):
        subset_of_prompts(scores, prompts)
