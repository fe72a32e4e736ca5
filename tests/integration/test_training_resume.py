"""A training run that is killed at any point and started again gives the same bytes as an uninterrupted run.

The kills are real: a separate process sends itself SIGKILL at an exact point, or the test kills it.
"""

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time

import polars as pl
import pytest
from refusals import refused
from world import output_paths

from limr.files.contracts import read_parquet

PATIENCE = 300  # seconds after which a process that has not ended counts as hanging

# Trains in a process that kills itself at the n-th call of a function, sometimes after half of the call's work.
RUNNER = """
import json, os, signal, sys
from pathlib import Path
import limr.training.miniature.learner, limr.training.miniature.state, limr.training.miniature.miniature_training
from limr.training import train

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

def half_a_state(state, target):
    import io, torch
    whole = io.BytesIO()
    save(state, whole)
    half = whole.getvalue()[: len(whole.getvalue()) // 2]
    if hasattr(target, "write"):
        target.write(half)
        target.flush()
    else:
        Path(target).write_bytes(half)
    die()

def half_a_file(weights, path, **options):
    Path(path).write_bytes(b"half")
    die()

plan = json.loads(sys.argv[1])
save = limr.training.miniature.state.torch.save
points = {
    "rollouts": (limr.training.miniature.miniature_training, "sample", die),
    "update": (limr.training.miniature.learner.Learner, "_update", die),
    "shard": (limr.training.miniature.state, "write_parquet", die),
    "checkpoint": (limr.training.miniature.model, "save_file", half_a_file),
    "state": (limr.training.miniature.state.torch, "save", half_a_state),
    "publishing": (limr.training.miniature.miniature_training, "write_parquet", die),
}
if plan["point"]:
    place, name, act = points[plan["point"]]
    original, calls = getattr(place, name), 0
    def counted(*args, **kwargs):
        global calls
        calls += 1
        return (act if calls == plan["call"] else original)(*args, **kwargs)
    setattr(place, name, counted)
paths = {name: Path(path) for name, path in plan["paths"].items()}
outputs = {name: Path(path) for name, path in plan["outputs"].items()}
train(plan["settings"], paths["model"], paths["subset"], paths["development"], plan["seed"], paths["work"], outputs)
"""


def start(world, directory, work, point=None, call=0, **changes):
    """A training process. With ``point`` it kills itself at the ``call``-th call of the function there."""
    plan = {
        "point": point,
        "call": call,
        "seed": 0,
        "settings": world.settings | changes,
        "paths": {
            "model": str(world.model),
            "subset": str(world.subset),
            "development": str(world.development),
            "work": str(work),
        },
        "outputs": {name: str(path) for name, path in output_paths(directory).items()},
    }
    return subprocess.Popen(
        [sys.executable, "-c", RUNNER, json.dumps(plan)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def contents(directory):
    """Bytes of every file below ``directory``, hidden ones too, by relative path."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def rollouts(outputs):
    return pl.concat(read_parquet(path, "rollouts") for path in sorted(outputs["rollouts"].iterdir()))


def metrics(outputs):
    """The metrics without the one that measures time."""
    return read_parquet(outputs["metrics"], "metrics").drop("samples_per_second")


def assert_same_run(found, expected):
    for name in ("model", "rollouts", "checkpoints"):
        assert contents(found[name]) == contents(expected[name]), name
    assert metrics(found).equals(metrics(expected))


@pytest.fixture(scope="module")
def uninterrupted(world, tmp_path_factory):
    return world.train(tmp_path_factory.mktemp("uninterrupted"))


def test_the_outputs_of_a_run_satisfy_the_contracts(world, uninterrupted):
    settings, table = world.settings, rollouts(uninterrupted)
    per_step = settings["prompts_per_step"] * settings["samples_per_prompt"]
    assert table["step"].value_counts(sort=True).sort("step")["count"].to_list() == [per_step] * settings["steps"]
    assert table.select("prompt_id", "visit", "sample").n_unique() == len(table)
    prompts = len(read_parquet(world.subset, "subset"))
    # every pass visited every prompt, except the incomplete last pass
    prompts_of_pass = table.group_by("visit").agg(pl.col("prompt_id").n_unique()).sort("visit")["prompt_id"].to_list()
    assert prompts_of_pass[:-1] == [prompts] * (settings["steps"] * settings["prompts_per_step"] // prompts)
    by_step = table.group_by("step").agg(pl.col("reward").mean()).sort("step")["reward"].to_list()
    found = read_parquet(uninterrupted["metrics"], "metrics")
    assert found["reward"].to_list() == pytest.approx(by_step)
    assert found["step"].to_list() == list(range(settings["steps"]))
    evaluated = found.filter(pl.col("development_accuracy").is_not_null())["step"].to_list()
    assert evaluated == list(range(0, settings["steps"], settings["evaluation_interval"]))
    steps = sorted(path.name for path in uninterrupted["checkpoints"].iterdir())
    assert steps == ["step_000002", "step_000004", "step_000006", "step_000008", "step_000009"]
    last = uninterrupted["checkpoints"] / steps[-1]
    assert contents(last) == contents(uninterrupted["model"])
    assert contents(uninterrupted["model"]) != contents(world.model)
    assert any(path.name.startswith("events") for path in uninterrupted["tensorboard"].iterdir())


KILLS = {
    "before the first checkpoint": ("rollouts", 2),
    "while sampling after a checkpoint": ("rollouts", 8),  # every third step samples the development set too
    "between two updates of a step": ("update", 14),
    "while writing a shard of rollouts": ("shard", 2),
    "halfway through a checkpoint": ("checkpoint", 3),
    "halfway through the state": ("state", 2),
    "after the last step, while publishing": ("publishing", 1),
}


@pytest.mark.parametrize("kill", KILLS)
def test_a_killed_run_resumes_to_the_same_bytes(world, uninterrupted, tmp_path, kill):
    killed = start(world, tmp_path, tmp_path / "work", *KILLS[kill])
    assert killed.wait(PATIENCE) == -signal.SIGKILL
    assert not output_paths(tmp_path)["model"].exists()
    outputs = world.train(tmp_path, work=tmp_path / "work")
    assert_same_run(outputs, uninterrupted)


def test_outputs_deleted_after_the_last_step_are_written_again_without_training(world, tmp_path, caplog):
    first = world.train(tmp_path, work=tmp_path / "work")
    kept = tmp_path / "kept"
    kept.mkdir()
    moved = {name: path.rename(kept / path.name) for name, path in first.items()}
    with caplog.at_level("INFO"):
        again = world.train(tmp_path, work=tmp_path / "work")
    assert_same_run(again, moved)
    assert "resuming at step" in caplog.text
    assert "PPO" not in caplog.text


def test_a_run_killed_again_and_again_resumes_to_the_same_bytes(world, uninterrupted, tmp_path):
    for point, call in (("rollouts", 6), ("state", 1), ("update", 5)):
        assert start(world, tmp_path, tmp_path / "work", point, call).wait(PATIENCE) == -signal.SIGKILL
    assert_same_run(world.train(tmp_path, work=tmp_path / "work"), uninterrupted)


def test_a_run_killed_at_a_random_moment_resumes_to_the_same_bytes(world, tmp_path):
    longer = {"steps": 60, "checkpoint_interval": 5, "prompts_per_step": 4}
    killed = start(world, tmp_path, tmp_path / "work", **longer)
    deadline = time.monotonic() + PATIENCE
    while not (tmp_path / "work" / "state.pt").exists() and killed.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    assert (tmp_path / "work" / "state.pt").exists()
    resumed = world.train(tmp_path, work=tmp_path / "work", **longer)
    assert_same_run(resumed, world.train(tmp_path / "straight", **longer))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_gives_others(world, uninterrupted, tmp_path):
    assert_same_run(world.train(tmp_path / "again"), uninterrupted)
    other = world.train(tmp_path / "other", seed=1)
    assert contents(other["model"]) != contents(uninterrupted["model"])
    assert not rollouts(other).equals(rollouts(uninterrupted))


@pytest.fixture(scope="module")
def left_behind(world, tmp_path_factory):
    """The working directory of a run killed after its second checkpoint."""
    directory = tmp_path_factory.mktemp("killed")
    assert start(world, directory, directory / "work", "state", 3).wait(PATIENCE) == -signal.SIGKILL
    return directory / "work"


@pytest.fixture
def interrupted(left_behind, tmp_path):
    """A copy of ``left_behind``, for a test to resume from."""
    return shutil.copytree(left_behind, tmp_path / "work")


def messages(caplog):
    return " ".join(record.getMessage() for record in caplog.records)


def test_a_run_logs_that_it_resumes_and_from_which_step(world, interrupted, tmp_path, caplog):
    with caplog.at_level(logging.INFO, "limr"):
        world.train(tmp_path, work=interrupted)
    assert f"resuming at step 4 of {world.settings['steps']}" in messages(caplog)


@pytest.mark.parametrize("change", [{"seed": 1}, {"clip": 0.3}])
def test_a_run_with_another_seed_or_other_settings_is_refused_and_the_first_run_can_be_finished(
    world, uninterrupted, interrupted, tmp_path, change
):
    with refused(where=interrupted / "state.pt", what="other settings", advice=f"remove {interrupted}"):
        world.train(tmp_path, work=interrupted, **change)
    assert_same_run(world.train(tmp_path, work=interrupted), uninterrupted)


def test_a_damaged_state_is_refused_and_the_run_starts_anew_when_its_folder_is_removed(
    world, uninterrupted, interrupted, tmp_path
):
    state = interrupted / "state.pt"
    state.write_bytes(state.read_bytes()[:-1])
    with refused(where=state, what="cannot be resumed", advice=f"remove {interrupted}"):
        world.train(tmp_path, work=interrupted)
    assert (interrupted / "checkpoints").exists()
    shutil.rmtree(interrupted)
    assert_same_run(world.train(tmp_path, work=interrupted), uninterrupted)
