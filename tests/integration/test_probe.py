"""The probe of a tiny training run: what a shorter one would have given, and its measure at fixed checkpoints."""

import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from refusals import refused
from world import World

from limr.files.contracts import read_parquet
from limr.logs.own_rollouts import from_rollouts
from limr.selection.scoring import score_prompts
from limr.training.miniature.measured_checkpoints import measure_checkpoints

# 40 prompts, 10 of them in each step, so 4 steps a visit, and a checkpoint after each visit
SHAPE = {"prompts_per_step": 10, "mini_batch_size": 8, "checkpoint_interval": 4, "evaluation_interval": 6}
LIM = {"score": "lim", "keep": {"top": 10}}


@pytest.fixture(scope="module")
def settings(world: World) -> dict[str, Any]:
    return world.settings | SHAPE | {"steps": 12}


@pytest.fixture(scope="module")
def probe(world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run of three visits."""
    return world.train(tmp_path_factory.mktemp("probe"), **SHAPE, steps=12)


@pytest.fixture(scope="module")
def measured(world: World, settings: Any, probe: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("measured") / "rollouts"
    measure_checkpoints(settings, probe["checkpoints"], world.subset, 0, folder)
    return folder


def test_the_first_visits_are_those_of_a_shorter_probe_bit_by_bit(
    world: World, probe: dict[str, Path], tmp_path: Path
) -> None:
    whole = from_rollouts(probe["rollouts"])
    shorter = from_rollouts(world.train(tmp_path, **SHAPE, steps=8)["rollouts"])
    assert whole.before(2).frame().equals(shorter.frame())
    cut = score_prompts("lim", LIM | {"probe": {"visits": 2}}, whole, None, 0)
    assert cut.equals(score_prompts("lim", LIM, shorter, None, 0))
    assert not cut.equals(score_prompts("lim", LIM, whole, None, 0)), "otherwise the test above would prove nothing"


def test_more_visits_than_the_trajectories_have_are_refused(probe: dict[str, Path]) -> None:
    with refused(where=("method 'lim'", "probe.visits"), found="4", expected="at most 3"):
        score_prompts("lim", LIM | {"probe": {"visits": 4}}, from_rollouts(probe["rollouts"]), None, 0)


def test_every_prompt_is_sampled_from_every_checkpoint(world: World, settings: Any, measured: Path) -> None:
    rows = pl.concat(read_parquet(path, "rollouts") for path in sorted(measured.iterdir()))
    prompts = read_parquet(world.subset, "subset")["prompt_id"].sort()
    samples = settings["samples_per_prompt"]
    for visit, step in enumerate((4, 8, 12)):
        of_visit = rows.filter(pl.col("visit") == visit).sort("prompt_id", "sample")
        assert of_visit["step"].unique().to_list() == [step]
        assert of_visit["prompt_id"].to_list() == [prompt for prompt in prompts for _ in range(samples)]
        assert of_visit["sample"].to_list() == list(range(samples)) * len(prompts)
    assert rows.filter(visit=0)["response"].to_list() != rows.filter(visit=1)["response"].to_list()
    assert from_rollouts(measured).frame()["epoch"].unique().to_list() == [0, 1, 2]


def test_the_measure_repeats_to_the_byte_and_another_seed_draws_other_samples(
    world: World, settings: Any, probe: dict[str, Path], measured: Path, tmp_path: Path
) -> None:
    for seed in (0, 1):
        measure_checkpoints(settings, probe["checkpoints"], world.subset, seed, tmp_path / f"seed{seed}")
    for shard in measured.iterdir():
        assert (tmp_path / "seed0" / shard.name).read_bytes() == shard.read_bytes()
        assert (tmp_path / "seed1" / shard.name).read_bytes() != shard.read_bytes()


def test_samples_are_drawn_at_the_temperature_and_length_of_training(
    world: World, settings: Any, probe: dict[str, Path], measured: Path, tmp_path: Path
) -> None:
    def distinct(folder: Path) -> float:
        """The mean number of different responses to a prompt."""
        rows = read_parquet(folder / "step_000012.parquet", "rollouts")
        assert rows["response_tokens"].max() <= settings["max_response_tokens"]
        return rows.group_by("prompt_id").agg(pl.col("response").n_unique())["response"].mean()

    measure_checkpoints(settings | {"temperature": 0.01}, probe["checkpoints"], world.subset, 0, tmp_path / "cold")
    assert distinct(measured) > distinct(tmp_path / "cold") + 1


def test_a_missing_checkpoint_is_named_and_nothing_is_written(
    world: World, settings: Any, probe: dict[str, Path], tmp_path: Path
) -> None:
    checkpoints = tmp_path / "run" / "checkpoints"
    shutil.copytree(probe["checkpoints"], checkpoints)
    shutil.rmtree(checkpoints / "step_000008")
    with refused(where=checkpoints, found="no checkpoint of step 8 (1 of 3 missing)", advice="Copy them back"):
        measure_checkpoints(settings, checkpoints, world.subset, 0, tmp_path / "rollouts")
    assert not (tmp_path / "rollouts").exists()
