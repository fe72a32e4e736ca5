"""Curves over training steps: means, intervals over seeds, and what is refused instead of averaged."""

import logging
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from refusals import refused
from scipy import stats
from step_files import write_rewards, write_steps

from limr.report.step_curves import curves, read_evaluations, read_rewards

TWO_STEPS = {0: {"easy": [0.0, 0.5], "hard": [0.25]}, 20: {"easy": [1.0, 0.5], "hard": [0.5]}}


def write_runs(folder: Path, methods: list[str], seeds: list[int]) -> list[Path]:
    return [write_steps(folder, method, seed, TWO_STEPS) for method in methods for seed in seeds]


def test_an_evaluation_is_the_mean_over_the_problems_of_a_benchmark(tmp_path: Path) -> None:
    rows = read_evaluations(write_runs(tmp_path, ["lim"], [0]), ["lim"], [0])
    assert rows.sort("step", "benchmark").rows() == [
        ("lim", 0, 0, "easy", 0.25, 8.0), ("lim", 0, 0, "hard", 0.25, 8.0),
        ("lim", 0, 20, "easy", 0.75, 28.0), ("lim", 0, 20, "hard", 0.5, 28.0),
    ]  # fmt: skip


def test_a_curve_has_the_seeds_in_their_order_and_the_t_interval_of_each_step() -> None:
    random = np.random.default_rng(1)
    values = random.random((4, 3))
    rows = pl.DataFrame(
        [("lim", seed, step, values[place, at]) for place, seed in enumerate((7, 2, 9, 4)) for at, step in
         enumerate((0, 20, 40))], ["method", "seed", "step", "value"], orient="row",
    ).sample(fraction=1, shuffle=True, seed=0)  # fmt: skip
    curve = curves(rows, ["lim"], [7, 2, 9, 4], confidence=0.9)["lim"]
    assert curve.steps.tolist() == [0, 20, 40]
    assert np.array_equal(curve.values, values)
    assert curve.mean == pytest.approx(values.mean(axis=0))
    low, high = stats.t.interval(0.9, 3, values.mean(axis=0), stats.sem(values, axis=0))
    assert curve.band[0] == pytest.approx(low)
    assert curve.band[1] == pytest.approx(high)


def test_two_seeds_have_their_range_and_one_has_no_band() -> None:
    rows = pl.DataFrame({"method": "lim", "seed": [0, 1], "step": 0, "value": [0.1, 0.2]})
    band = curves(rows, ["lim"], [0, 1], 0.95)["lim"].band
    assert band is not None and [end.tolist() for end in band] == [[0.1], [0.2]]
    assert curves(rows.head(1), ["lim"], [0], 0.95)["lim"].band is None


def test_a_missing_seed_is_named(tmp_path: Path) -> None:
    files = write_runs(tmp_path, ["full", "lim"], [0, 1])
    with refused(what="no evaluated checkpoints of method lim, seed 1 (1 missing of 4)"):
        read_evaluations(files[:-1], ["full", "lim"], [0, 1])


def test_a_file_of_another_method_or_one_that_occurs_twice_is_named(tmp_path: Path) -> None:
    full, lim = write_runs(tmp_path, ["full", "lim"], [0])
    with refused(where=lim, found="method lim, seed 0", expected="one method and seed of this figure"):
        read_evaluations([full, lim], ["full"], [0])
    with refused(where=full, found="method full, seed 0"):
        read_evaluations([full, full], ["full"], [0])


@pytest.mark.parametrize(
    ("other", "noun", "found"),
    [
        ({0: TWO_STEPS[0]}, "steps", "1 missing, 0 not expected (step 20 is missing)"),
        (TWO_STEPS | {40: TWO_STEPS[0]}, "steps", "0 missing, 1 not expected (step 40 is only here)"),
        (TWO_STEPS | {20: {"easy": [1.0, 0.5]}}, "benchmarks", "(step 20, benchmark hard is missing)"),
        (TWO_STEPS | {20: {"easy": [1.0], "hard": [0.5]}}, "problems", "(step 20, benchmark easy, problem easy1 is"),
    ],
)
def test_no_mean_is_taken_of_seeds_with_different_checkpoints_benchmarks_or_problems(
    tmp_path: Path, other: dict, noun: str, found: str
) -> None:
    files = [*write_runs(tmp_path, ["lim"], [0]), write_steps(tmp_path, "lim", 1, other)]
    what = f"the {noun} of method lim, seed 1 differ from those of {files[0]}"
    with refused(where=files[1], what=what, found=found, advice="Delete the file"):
        read_evaluations(files, ["lim"], [0, 1])


def test_a_short_run_shows_the_reward_of_every_step(tmp_path: Path) -> None:
    rewards = {step: step / 10 for step in range(5)}
    rows = read_rewards([write_rewards(tmp_path, "lim", 3, rewards)], ["lim"], [3])
    assert rows.rows() == [("lim", 3, step, reward) for step, reward in rewards.items()]


def test_a_long_run_shows_the_mean_reward_of_consecutive_steps(tmp_path: Path) -> None:
    rewards = dict(enumerate(np.random.default_rng(0).random(100).tolist()))
    rows = read_rewards([write_rewards(tmp_path, "lim", 0, rewards)], ["lim"], [0])
    assert rows["step"].to_list() == list(range(0, 100, 3)), "at most 40 points"
    assert rows["value"][5] == pytest.approx((rewards[15] + rewards[16] + rewards[17]) / 3)
    assert rows["value"][-1] == rewards[99]


def test_a_step_that_one_seed_lost_counts_for_no_seed_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = [write_rewards(tmp_path, "full", seed, {0: 0.0, 1: 0.5, 2: 1.0}) for seed in (0, 1)]
    files += [
        write_rewards(tmp_path, "lim", 0, {0: 0.0, 1: 0.5, 2: 1.0}),
        write_rewards(tmp_path, "lim", 1, {0: 0, 2: 1}),
    ]
    with caplog.at_level(logging.WARNING):
        rows = read_rewards(files, ["full", "lim"], [0, 1])
    assert caplog.messages == ["lim, step 1: only 1 of 2 seeds have a reward; left out"]
    assert rows.filter(method="full", seed=0)["step"].to_list() == [0, 1, 2]
    assert curves(rows, ["lim"], [0, 1], 0.95)["lim"].steps.tolist() == [0, 2]
