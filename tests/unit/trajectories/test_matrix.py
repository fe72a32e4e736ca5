"""The matrix of prompts and visits: which visits count, how gaps are treated, and what is refused."""

import numpy as np
import polars as pl
import pytest
from refusals import refused

from limr.trajectories import Trajectories, VisitMatrix, known_signals, usual_samples, visit_matrix


def trajectories(curves: dict[str, list[float | None]], samples: int = 8) -> pl.DataFrame:
    """Trajectories from {prompt_id: [accuracy at each visit, None for a missing visit]}; rewards are 2 a - 1."""
    rows = [
        (prompt_id, epoch, 2 * accuracy - 1, accuracy, samples)
        for prompt_id, curve in curves.items()
        for epoch, accuracy in enumerate(curve)
        if accuracy is not None
    ]
    return pl.DataFrame(rows, ["prompt_id", "epoch", "mean_reward", "accuracy", "n_samples"], orient="row")


def matrix_of(frame: pl.DataFrame, signal: str = "reward") -> VisitMatrix:
    return visit_matrix(Trajectories.from_frame(frame), signal)


def test_the_matrix_does_not_depend_on_the_order_of_rows():
    frame = trajectories({"b": [0.0, 0.5], "a": [0.25, 1.0]})
    for seed in range(3):
        matrix = matrix_of(frame.sample(fraction=1, shuffle=True, seed=seed), "accuracy")
        assert matrix.prompt_ids == ["a", "b"]
        assert matrix.values.tolist() == [[0.25, 1.0], [0.0, 0.5]]


@pytest.mark.parametrize(("reached", "visits"), [(1, 3), (10, 3), (17, 3), (18, 4), (20, 4)])
def test_a_last_epoch_counts_when_nine_prompts_in_ten_have_it(reached, visits):
    curves = {f"p{i:02}": [0.5] * (4 if i < reached else 3) for i in range(20)}
    matrix = matrix_of(trajectories(curves), "accuracy")
    whole, dropped = matrix.without_gaps()
    assert matrix.values.shape == (20, visits)
    assert len(whole.prompt_ids) == (20 if visits == 3 else reached)
    assert set(dropped.values()) <= {"3 of 0 to 3"}


def test_a_partial_visit_counts_as_missing():
    frame = trajectories({"a": [0.5, 0.5], "b": [0.5, 0.5], "c": [0.5, 0.5]}).with_columns(
        n_samples=pl.when((pl.col("prompt_id") == "b") & (pl.col("epoch") == 0)).then(5).otherwise(8)
    )
    whole, dropped = matrix_of(frame, "accuracy").without_gaps()
    assert whole.prompt_ids == ["a", "c"]
    assert dropped == {"b": "0 of 0 to 1"}
    assert usual_samples(Trajectories.from_frame(frame)) == 8


def test_a_visit_that_no_prompt_has_is_an_error_and_not_a_score():
    with refused(
        where="trajectories",
        what="none of the 2 prompts has all visits from 0 to 1 (prompt a lacks visits 0 of 0 to 1)",
        advice="file of rollouts is missing",
    ):
        matrix_of(trajectories({"a": [None, 0.5], "b": [None, 0.5]})).without_gaps()


def test_a_visit_that_few_prompts_have_is_refused_with_advice():
    with refused(
        what="no visit was completed by 90% of the 2 prompts (the most common one by 1)", advice="--steps-per-epoch"
    ):
        matrix_of(trajectories({"a": [None, 0.5], "b": [None, None, 0.5]}))


def test_next_fills_a_gap_only_from_the_visit_after_it():
    curves = {
        "filled": [0.0, None, 0.5, 1.0],
        "twice": [None, 0.25, None, 1.0],
        "too long": [0.0, None, None, 1.0],
        "at the end": [0.0, 0.5, 0.5, None],
    } | {f"whole {i:02}": [0.0] * 4 for i in range(40)}
    matrix = matrix_of(trajectories(curves), "accuracy")
    whole, dropped = matrix.without_gaps("next")
    rows = dict(zip(whole.prompt_ids, whole.values.tolist(), strict=True))
    assert rows["filled"] == [0.0, 0.5, 0.5, 1.0]
    assert rows["twice"] == [0.25, 0.25, 1.0, 1.0]
    assert dropped == {"too long": "1 of 0 to 3", "at the end": "3 of 0 to 3"}
    assert sorted(matrix.without_gaps("drop")[1]) == ["at the end", "filled", "too long", "twice"]
    assert np.isnan(matrix.values).sum() == 6, "the matrix itself is not changed"


def test_an_unknown_value_of_signal_or_missing_is_refused_with_the_known_ones():
    frame = trajectories({"a": [0.5]})
    with refused(where="option signal", found="'rewards'", expected="one of reward, accuracy"):
        matrix_of(frame, "rewards")
    with refused(where="option missing", found="'fill'", expected="one of drop, next"):
        matrix_of(frame).without_gaps("fill")


def test_rewards_that_are_not_recorded_are_refused_with_the_signal_that_is():
    frame = trajectories({"a": [0.5]}).with_columns(mean_reward=pl.lit(None, pl.Float64))
    assert known_signals(Trajectories.from_frame(frame)) == ["accuracy"]
    with refused(what="mean_reward is known for 0 of 1 visits, accuracy for all", advice="`--option signal=accuracy`"):
        matrix_of(frame, "reward")


def test_trajectories_without_a_visit_are_refused():
    with refused(where="trajectories", found="no visits"):
        matrix_of(trajectories({"a": [0.5]}).clear())


def test_visits_numbered_far_apart_are_refused_instead_of_filling_the_memory():
    for far in (10**9, 2**62):
        frame = trajectories({"a": [1.0, 0.5], "b": [0.5, 1.0]}).with_columns(epoch=pl.col("epoch") * far)
        with refused(where="trajectories", found="2 visits a prompt", advice="steps_per_epoch"):
            matrix_of(frame)
