"""The rollouts and the metrics of a training run are complete, and belong to each other and to the subset."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from complete_results import change
from refusals import refused

from limr.jobs.run_counts import check_run

SHARD = "rollouts/steps_000002_000003.parquet"


@pytest.fixture
def results(configuration: dict[str, Any]) -> Path:
    """A folder of results."""
    return Path(configuration["results"])


@pytest.fixture
def training(configuration: dict[str, Any]) -> dict[str, Any]:
    """The settings of the runs in ``results``."""
    return configuration["training"]


def check(results: Path, training: dict[str, Any], method: str = "full") -> None:
    check_run(results / f"runs/{method}/seed0", results / f"subsets/{method}/seed0.parquet", training)


@pytest.mark.parametrize("engine", ["miniature", "openrlhf"])
@pytest.mark.parametrize("method", ["full", "lim"])
def test_a_complete_run_is_accepted(results: Path, training: dict[str, Any], engine: str, method: str) -> None:
    check(results, training | {"engine": engine}, method)


def test_a_missing_shard_is_found(results: Path, training: dict[str, Any]) -> None:
    run = results / "runs/full/seed0"
    (run / SHARD).unlink()
    with refused(
        where=run / "rollouts",
        found="2 steps (step 2 is missing)",
        expected="4 (`training.steps`)",
        advice=f"Delete {run},",
    ):
        check(results, training)


def test_a_shard_with_fewer_rollouts_is_found(results: Path, training: dict[str, Any]) -> None:
    change(results / "runs/full/seed0" / SHARD, lambda rows: rows.head(-1))
    expected = "6 (`training.prompts_per_step` x `training.samples_per_prompt`)"
    with refused(where="step 3", found="5 rollouts", expected=expected):
        check(results, training)


@pytest.mark.parametrize(
    ("cut", "missing"), [(lambda rows: rows.head(3), 3), (lambda rows: rows.filter(pl.col("step") != 1), 1)]
)
def test_metrics_without_a_step_are_found(
    results: Path, training: dict[str, Any], cut: Callable[[pl.DataFrame], pl.DataFrame], missing: int
) -> None:
    metrics = results / "runs/full/seed0/metrics.parquet"
    change(metrics, cut)
    with refused(where=metrics, found=f"3 steps (step {missing} is missing)", expected="4 (`training.steps`)"):
        check(results, training)
    shutil.rmtree(metrics.parent / "rollouts")  # someone may delete the rollouts, to free disk space
    with refused(where=metrics, found=f"3 steps (step {missing} is missing)"):
        check(results, training)


def test_metrics_of_another_run_are_found(results: Path, training: dict[str, Any]) -> None:
    metrics = results / "runs/full/seed0/metrics.parquet"
    change(metrics, lambda rows: rows.with_columns(reward=pl.when(pl.col("step") == 2).then(0.25).otherwise("reward")))
    with refused(where=(metrics, "step 2"), found="mean reward 0.25", what="1 of 4 steps belong to different runs"):
        check(results, training)


def test_rollouts_of_another_method_are_found(results: Path, training: dict[str, Any]) -> None:
    shutil.rmtree(results / "runs/lim")
    shutil.copytree(results / "runs/full", results / "runs/lim")
    with refused(where=results / "runs/lim/seed0/rollouts", found="6 prompts (4 of them not in the subset)"):
        check(results, training, "lim")


def test_a_run_on_fewer_prompts_is_found(results: Path, training: dict[str, Any]) -> None:
    shutil.rmtree(results / "runs/full")
    shutil.copytree(results / "runs/lim", results / "runs/full")
    with refused(
        where=results / "runs/full/seed0/rollouts",
        found="2 prompts (0 of them not in the subset)",
        expected="6, those of",
    ):
        check(results, training)


def test_openrlhf_may_lose_rollouts_and_steps_that_its_audit_counts(results: Path, training: dict[str, Any]) -> None:
    run, openrlhf = results / "runs/full/seed0", training | {"engine": "openrlhf"}
    (run / SHARD).unlink()
    change(run / "metrics.parquet", lambda rows: rows.head(2))
    (run / "rollouts/audit.json").write_text(json.dumps({"rollouts": 12}))
    check(results, openrlhf)
    (run / "rollouts/audit.json").write_text(json.dumps({"rollouts": 24}))
    with refused(where=run / "rollouts", found="12 rollouts", expected=f"24 ({run / 'rollouts/audit.json'})"):
        check(results, openrlhf)


def test_metrics_of_openrlhf_have_the_steps_of_the_rollouts(results: Path, training: dict[str, Any]) -> None:
    metrics = results / "runs/full/seed0/metrics.parquet"
    change(metrics, lambda rows: rows.head(3))
    with refused(where=(metrics, "step 3"), found="no such step", expected="as in the rollouts"):
        check(results, training | {"engine": "openrlhf"})


def test_a_run_of_more_steps_is_found(results: Path, training: dict[str, Any]) -> None:
    with refused(where="rollouts", found="4 steps (step 3 does not belong here)", expected="3 (`training.steps`)"):
        check(results, training | {"steps": 3})


def test_a_shard_that_makes_polars_panic_is_named(
    results: Path, training: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def panic(*_: Any) -> None:
        raise pl.exceptions.PanicException("called `Option::unwrap()` on a `None` value")

    monkeypatch.setattr(pl.LazyFrame, "collect", panic)
    with refused(where="steps_000000_000001.parquet", what="cannot be read as Parquet", advice="Delete"):
        check(results, training)


def test_a_truncated_shard_is_named(results: Path, training: dict[str, Any]) -> None:
    shard = results / "runs/full/seed0" / SHARD
    shard.write_bytes(shard.read_bytes()[:100])
    with refused(where=shard, what="cannot be read as Parquet (100 bytes", advice="Delete"):
        check(results, training)
