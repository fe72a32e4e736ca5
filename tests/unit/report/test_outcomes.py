"""Outcomes of training runs: small curves by hand, invariants, and what is refused."""

from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outcome_runs import CONFIGURATION, CURVES, WHOLE_RUN, write_run, write_runs
from refusals import refused

from limr.report.outcomes import Cost, DevelopmentCurve, Reached, outcomes_of, read_curve

FREE = Cost(0, 0)


def curve(*points: tuple[int, float]) -> DevelopmentCurve:
    steps, accuracies = zip(*points, strict=True)
    return DevelopmentCurve(steps, accuracies, (FREE,) * len(points), FREE)


def test_a_run_costs_the_rollouts_before_each_evaluation(tmp_path: Path) -> None:
    found = read_curve(write_run(tmp_path, CURVES["full"]), "miniature")
    assert found.steps == (0, 2, 4) and found.accuracies == (0.2, 0.6, 0.7)
    # 3 rollouts a step, of 1, 2, 3 and 4 tokens
    assert found.costs == (Cost(0, 0), Cost(6, 9), Cost(12, 30))
    assert found.whole_run == Cost(*WHOLE_RUN)
    assert (found.base, found.last, found.best, found.best_step) == (0.2, 0.7, 0.7, 4)


def test_openrlhf_evaluates_after_the_step_and_never_before_training(tmp_path: Path) -> None:
    found = read_curve(write_run(tmp_path, {1: 0.5, 3: 0.6}), "openrlhf")
    assert found.steps == (2, 4) and found.costs == (Cost(6, 9), Cost(12, 30))
    assert found.base is None


def test_the_best_evaluation_is_the_first_of_equal_ones() -> None:
    assert curve((0, 0.1), (2, 0.7), (4, 0.7), (6, 0.2)).best_step == 2


def test_the_area_is_the_mean_height_of_the_curve() -> None:
    assert curve((0, 0.2), (2, 0.6), (4, 0.7)).area == pytest.approx((2 * 0.4 + 2 * 0.65) / 4)
    assert curve((0, 0.2), (8, 0.2)).area == pytest.approx(0.2)
    assert curve((5, 0.3)).area is None


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(0, 1)), min_size=2, max_size=9), st.floats(0, 1))
def test_invariants_of_a_curve(points: list[tuple[int, float]], level: float) -> None:
    step, steps = 0, []
    for width, accuracy in points:
        steps.append((step, accuracy))
        step += width
    found = curve(*steps)
    low, high = min(found.accuracies), max(found.accuracies)
    assert low - 1e-9 <= found.area <= high + 1e-9
    assert found.best == high >= found.last
    index = found.reaches(level)
    if index is None:
        assert high < level
    else:
        assert found.accuracies[index] >= level - 1e-9
        assert all(value < level for value in found.accuracies[:index])
    easier = found.reaches(level / 2)
    assert index is None or easier <= index, "a lower target is never reached later"


def test_a_target_is_a_share_of_the_gain_of_full_and_needs_no_interpolation(tmp_path: Path) -> None:
    found = outcomes_of(write_runs(tmp_path), CONFIGURATION)
    full, rand, lim = (found[method][0].targets for method in ("full", "rand", "lim"))
    assert [target.level for target in full.values()] == pytest.approx([0.65, 0.675])
    after_two, after_four = Cost(6, 9), Cost(12, 30)
    assert [(target.step, target.cost) for target in full.values()] == [(4, after_four)] * 2
    assert [(target.step, target.cost) for target in rand.values()] == [(2, after_two), (None, None)]
    assert [(target.step, target.cost) for target in lim.values()] == [(4, after_four)] * 2


def test_only_methods_that_read_trajectories_pay_for_the_probe(tmp_path: Path) -> None:
    found = outcomes_of(write_runs(tmp_path), CONFIGURATION)
    probe = Cost(*WHOLE_RUN)
    for runs in found.values():
        for run in runs:
            target = run.targets[0.9]
            assert target.with_probe == (target.cost + probe if run.method == "lim" else target.cost)


def test_the_target_and_the_probe_are_those_of_the_same_seed(tmp_path: Path) -> None:
    runs = write_runs(tmp_path)
    write_run(tmp_path / "runs/full/seed1", {0: 0.2, 2: 0.3, 4: 0.4})
    found = outcomes_of(runs, CONFIGURATION)
    levels = [run.targets[0.9].level for run in found["lim"]]
    assert levels == pytest.approx([0.65, 0.38, 0.65])
    assert [run.targets[0.9].step for run in found["lim"]] == [4, 2, 4]


def test_reaching_a_target_exactly_counts_in_spite_of_rounding(tmp_path: Path) -> None:
    runs = write_runs(tmp_path)
    for seed in CONFIGURATION["seeds"]:
        write_run(tmp_path / f"runs/full/seed{seed}", {0: 0.1, 4: 0.4})
        write_run(tmp_path / f"runs/rand/seed{seed}", {0: 0.1, 4: 0.37})
    assert 0.1 + 0.9 * (0.4 - 0.1) > 0.37
    assert outcomes_of(runs, CONFIGURATION)["rand"][0].targets[0.9].step == 4


@pytest.mark.parametrize("full", [{0: 0.2, 4: 0.2}, {0: 0.2, 2: 0.6, 4: 0.1}, {2: 0.6, 4: 0.7}])
def test_there_is_no_target_if_full_gained_nothing_or_its_gain_is_unknown(
    tmp_path: Path, full: dict[int, float]
) -> None:
    runs = write_runs(tmp_path)
    write_run(tmp_path / "runs/full/seed1", full)
    found = outcomes_of(runs, CONFIGURATION)
    assert all(several[1].targets[0.9] == Reached(None) for several in found.values())
    assert found["lim"][0].targets[0.9].level is not None


def test_without_full_there_is_no_target(tmp_path: Path) -> None:
    configuration = deepcopy(CONFIGURATION)
    del configuration["methods"]["full"], configuration["methods"]["lim"]
    found = outcomes_of(write_runs(tmp_path, configuration), configuration)
    assert [run.targets[0.9] for run in found["rand"]] == [Reached(None)] * 3


def test_a_missing_run_is_named(tmp_path: Path) -> None:
    runs = [run for run in write_runs(tmp_path) if run.parts[-2:] != ("lim", "seed2")]
    with refused(what="no training run of method lim, seed 2", advice="Run its training"):
        outcomes_of(runs, CONFIGURATION)


def test_metrics_without_any_evaluation_are_named(tmp_path: Path) -> None:
    runs = write_runs(tmp_path)
    broken = write_run(tmp_path / "runs/rand/seed1", {})
    with refused(where=(broken / "metrics.parquet", "development_accuracy"), found="no evaluation"):
        outcomes_of(runs, CONFIGURATION)


def test_missing_rollouts_are_named(tmp_path: Path) -> None:
    runs = write_runs(tmp_path)
    for shard in (runs[0] / "rollouts").iterdir():
        shard.unlink()
    with refused(where=runs[0] / "rollouts", found="no rollouts"):
        outcomes_of(runs, CONFIGURATION)
