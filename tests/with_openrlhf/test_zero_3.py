"""Training with ZeRO-3 on several GPUs, each with a vLLM engine, as config/paper.yaml trains 7B."""

from collections import Counter

import polars as pl
import pytest
from openrlhf_runs import PATIENCE, Run, World, trained_on
from safetensors.torch import load_file

from limr.files.contracts import read_parquet

STEPS, UPDATES, LEARNING_RATE = 2, 4, 1e-4


@pytest.fixture(scope="module")
def finished(world: World, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run; the file ``tap`` in its folder holds the samples that the training steps received."""
    run = Run(tmp_path_factory.mktemp("zero_3"))
    process = world.start(run, gpus=2, variables={"LIMR_TAP": str(run.folder / "tap")},
                          zero_stage=3, gpus_per_node=2, steps=STEPS)  # fmt: skip
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    return run


def test_the_updates_are_finite_and_start_from_the_reference(finished: Run) -> None:
    metrics = read_parquet(finished.outputs["metrics"], "metrics")
    assert metrics["step"].to_list() == list(range(STEPS))
    for name in ("kl", "entropy", "policy_loss", "value_loss", "gradient_norm"):
        assert metrics[name].is_finite().all(ignore_nulls=False), name
    assert metrics["kl"][0] == 0.0


def test_every_weight_differs_from_the_base_model_s_by_no_more_than_the_updates(world: World, finished: Run) -> None:
    base = load_file(world.folder / "model" / "model.safetensors")
    trained = load_file(finished.outputs["model"] / "model.safetensors")
    assert base.keys() <= trained.keys()
    for name, weight in base.items():  # an update of Adam is about as large as its learning rate; bf16 has 8 bits
        change = (trained[name].float() - weight.float()).abs()
        assert (change <= 2 * UPDATES * LEARNING_RATE + weight.float().abs() / 128).all(), name
    assert any((trained[name].float() != base[name].bfloat16().float()).any() for name in base)


def test_the_rollouts_of_both_vllm_engines_are_those_that_were_trained_on(finished: Run) -> None:
    given = Counter(
        (row["label"]["id"], row["label"]["step"], row["step"], row["reward"], row["response_tokens"])
        for row in trained_on(finished.folder / "tap")
    )
    rows = finished.rollouts.select("prompt_id", "step", pl.col("step").alias("again"), "reward", "response_tokens")
    assert given == Counter(rows.iter_rows())
    assert given.total() == STEPS * 16
