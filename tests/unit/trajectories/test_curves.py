"""Trajectories from frames, lists and files, and cuts of them by prompts and visits."""

import math

import polars as pl
import pytest
from refusals import refused

from limr.errors import ContractError
from limr.files.contracts import check, write_parquet
from limr.trajectories import Trajectories

FRAME = pl.DataFrame(
    [("a", 0, -1.0, 0.0, 2), ("a", 1, 0.0, 0.5, 2), ("b", 0, 0.25, None, 4), ("c", 2, None, 1.0, 4)],
    ["prompt_id", "epoch", "mean_reward", "accuracy", "n_samples"],
    orient="row",
)


def test_a_frame_in_any_order_of_rows_comes_back_sorted():
    for seed in range(3):
        trajectories = Trajectories.from_frame(FRAME.sample(fraction=1, shuffle=True, seed=seed))
        assert trajectories.frame().equals(FRAME)
        assert trajectories.prompt_ids == ["a", "b", "c"]
        assert len(trajectories) == 4


def test_a_file_is_read_and_written_by_the_contract(tmp_path):
    write_parquet(FRAME, tmp_path / "trajectories.parquet", "trajectories")
    found = Trajectories.read(tmp_path / "trajectories.parquet").frame()
    check(found, "trajectories", "test")
    assert found.equals(FRAME)


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"mean_reward": math.nan}, {"where": "'mean_reward'", "found": "NaN", "expected": "a finite number"}),
        ({"accuracy": 1.5}, {"where": "'accuracy'", "found": "1.5", "expected": "at most 1"}),
        ({"epoch": 0}, {"what": "occurs more than once"}),
    ],
)
def test_rows_that_break_the_contract_are_refused(change, parts):
    with refused(ContractError, **parts):
        Trajectories.from_frame(FRAME.with_columns(pl.lit(value).alias(name) for name, value in change.items()))


def test_curves_from_lists_have_no_visit_where_both_values_are_missing():
    trajectories = Trajectories.from_curves(
        rewards={"late": [None, 1.0], "never": [None]}, accuracies={"late": [0.5, None], "never": [None]}, n_samples=4
    )
    assert trajectories.frame().rows() == [("late", 0, None, 0.5, 4), ("late", 1, 1.0, None, 4)]


def test_trajectories_are_cut_to_some_prompts_and_to_the_first_visits():
    trajectories = Trajectories.from_frame(FRAME)
    assert trajectories.of_prompts({"c", "a", "unknown"}).frame().equals(FRAME.filter(pl.col("prompt_id") != "b"))
    first = trajectories.before(1)
    assert first.frame().equals(FRAME.filter(pl.col("epoch") == 0))
    assert first.prompt_ids == ["a", "b", "c"], "a prompt without a visit stays"
