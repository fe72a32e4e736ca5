"""The whole DAG with OpenRLHF and vLLM on a CPU, from the base model to Table 2, killed and resumed in between."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from openrlhf_runs import CONFIGURATION, PATIENCE, ROOT, Run, environment, left_running, trained_on

from limr.files.contracts import read_parquet
from limr.logs.own_rollouts import from_rollouts

METHODS = ("full", "lim")
STEPS, BATCH, SAMPLES = 6, 8, 2


def start(folder: Path, tap: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2", "all"],
        cwd=folder,
        stdout=(folder / f"{tap}.log").open("w"),
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        env=environment(LIMR_TAP=str(folder / tap)),
        start_new_session=True,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run. SIGKILL ended it, with snakemake, in the fourth step of its probe."""
    folder = tmp_path_factory.mktemp("pipeline")
    shutil.copy(CONFIGURATION, folder / "config.yaml")
    process = start(folder, "before")
    log = folder / "results" / "work" / "full-seed0" / "logs" / "attempt_0000.log"
    deadline = time.monotonic() + PATIENCE
    while not (log.exists() and "Global step 3:" in log.read_text(encoding="utf-8", errors="replace")):
        assert process.poll() is None and time.monotonic() < deadline, (folder / "before.log").read_text()[-3000:]
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    subprocess.run(
        [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2", "--unlock"],
        cwd=folder, env=environment(), check=True, capture_output=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while left := left_running(folder):  # training dies with its supervisor; Ray needs a moment to notice
        assert time.monotonic() < deadline, left
        time.sleep(0.5)
    again = start(folder, "after")
    again.wait(timeout=3 * PATIENCE)
    assert again.returncode == 0, (folder / "after.log").read_text()[-5000:]
    return folder


def outputs(folder: Path, method: str) -> Run:
    return Run(folder / "results" / "runs" / method / "seed0")


def key(row: dict) -> tuple:
    return row["prompt_id"], row["visit"], row["step"], row["reward"], row["response_tokens"], row["truncated"]


def test_the_run_makes_table_2_with_every_method(finished: Path) -> None:
    table = (finished / "results" / "table2.md").read_text(encoding="utf-8")
    for title in ("Base model", "FULL", "LIM"):
        assert f"| {title} " in table
    assert "Training: openrlhf. Evaluation: vllm." in table
    assert f"{STEPS} steps, {STEPS * BATCH * SAMPLES} rollouts" in table


def test_the_killed_run_resumed_from_its_checkpoint(finished: Path) -> None:
    audit = json.loads((outputs(finished, "full").outputs["rollouts"] / "audit.json").read_text(encoding="utf-8"))
    assert [attempt["first_step"] for attempt in audit["attempts"]] == [0, 2]
    assert audit["rollouts"] == STEPS * BATCH * SAMPLES
    assert audit["replayed"] >= BATCH * SAMPLES  # the third step, and a part of the fourth
    assert audit["incomplete_visits"] == audit["unexpected"] == 0
    assert f"resuming at step 2 of {STEPS}" in (finished / "after.log").read_text(encoding="utf-8")


def test_rollouts_are_those_that_the_training_steps_received(finished: Path) -> None:
    before = [row for row in trained_on(finished / "before") if row["step"] < 2]  # the checkpoint comes from these
    after = trained_on(finished / "after")
    given = Counter()
    for row in before + after:
        label = row["label"]
        assert label["step"] == row["step"]  # the prompts came in our order
        given[(label["id"], label["visit"], row["step"], row["reward"], row["response_tokens"], row["truncated"])] += 1
    recorded = Counter()
    for method in METHODS:
        recorded.update(key(row) for row in outputs(finished, method).rollouts.iter_rows(named=True))
    assert given == recorded
    assert sum(recorded.values()) == len(METHODS) * STEPS * BATCH * SAMPLES


def test_trajectories_are_the_means_of_the_rewards_that_the_training_steps_received(finished: Path) -> None:
    rows = [row for row in trained_on(finished / "before") if row["step"] < 2]
    # after resuming, the probe is the first run, so the first rows come from its last steps
    after = trained_on(finished / "after")
    rows += after[: (STEPS - 2) * BATCH * SAMPLES]
    table = pl.DataFrame({"prompt_id": [row["label"]["id"] for row in rows],
                          "epoch": [row["label"]["visit"] for row in rows],
                          "mean_reward": [row["reward"] for row in rows]})  # fmt: skip
    expected = table.group_by("prompt_id", "epoch").agg(pl.col("mean_reward").mean(), n_samples=pl.len())
    found = read_parquet(finished / "results" / "trajectories" / "seed0.parquet", "trajectories")
    assert found.height == expected.height
    both = found.join(expected, on=["prompt_id", "epoch"], suffix="_given")
    assert both.height == found.height
    assert both["mean_reward"].to_list() == pytest.approx(both["mean_reward_given"].to_list())
    assert both["n_samples"].to_list() == both["n_samples_given"].to_list() == [SAMPLES] * both.height
    assert from_rollouts(outputs(finished, "full").outputs["rollouts"]).frame().equals(found)


def test_metrics_have_every_step_and_the_accuracy_of_every_evaluation(finished: Path) -> None:
    for method in METHODS:
        run = outputs(finished, method)
        metrics = read_parquet(run.folder / "metrics.parquet", "metrics")
        assert metrics["step"].to_list() == list(range(STEPS))
        assert metrics["reward"].to_list() == pytest.approx(
            run.rollouts.group_by("step").agg(pl.col("reward").mean()).sort("step")["reward"].to_list()
        )
        assert metrics.filter(pl.col("development_accuracy").is_not_null())["step"].to_list() == [1, 3, 5]
        for name in ("kl", "entropy", "policy_loss", "value_loss", "clip_fraction", "learning_rate", "gradient_norm"):
            assert metrics[name].null_count() == 0, name
        assert metrics["learning_rate"].to_list()[-1] == pytest.approx(1e-4)


def test_the_model_of_a_run_is_the_one_after_its_last_step(finished: Path) -> None:
    base = (finished / "results" / "base_model" / "config.json").read_text(encoding="utf-8")
    for method in METHODS:
        run = outputs(finished, method)
        names = sorted(path.name for path in run.outputs["checkpoints"].glob("step_*"))
        assert names == ["step_000002", "step_000004", "step_000006"]
        weights = [(run.outputs["checkpoints"] / name / "model.safetensors").read_bytes() for name in names]
        assert (run.outputs["model"] / "model.safetensors").read_bytes() == weights[-1]
        assert len(set(weights)) == 3
        assert (
            json.loads(base)["architectures"]
            == json.loads((run.outputs["model"] / "config.json").read_text(encoding="utf-8"))["architectures"]
        )


def test_every_visit_follows_the_schedule_of_the_other_engine(finished: Path) -> None:
    from limr.training.schedule import step_prompts

    for method in METHODS:
        subset = read_parquet(finished / "results" / "subsets" / method / "seed0.parquet", "subset")
        ids, rollouts = subset["prompt_id"], outputs(finished, method).rollouts
        for step in range(STEPS):
            indices, visits = step_prompts(len(ids), BATCH, step, seed=0)
            visited = rollouts.filter(pl.col("step") == step, pl.col("sample") == 0).select("prompt_id", "visit").rows()
            assert visited == [(ids[index], visit) for index, visit in zip(indices, visits, strict=True)]


def test_nothing_is_left_running_and_no_working_folder_is_left(finished: Path) -> None:
    assert not left_running(finished)
    assert not [path for path in (finished / "results" / "work").iterdir() if path.is_dir()]
    assert not re.search(r"Traceback|Exception", (finished / "after.log").read_text(encoding="utf-8"))
