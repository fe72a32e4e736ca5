"""`evaluate_checkpoints` on tiny random models: which models answer, and how their answers become rows."""

import logging
import shutil
from pathlib import Path

import polars as pl
import pytest
import torch
from evaluation_runs import evaluated, problems
from refusals import refused
from tiny_model import VOCABULARY, save_tokenizer

from limr.evaluation.evaluated_steps import evaluate_checkpoints
from limr.files.contracts import read_parquet
from limr.models.checkpoint import load_checkpoint

SETTINGS = {
    "engine": "transformers",
    "top_p": 0.95,
    "max_response_tokens": 40,
    "batch_size": 8,
    "threads": 1,
    "reward_rule": "paper",
}
BENCHMARKS = {
    "greedy": (problems([f"{number}=?" for number in range(5)], map(str, range(5))), {"samples": 1, "temperature": 0}),
    "sampled": (problems([f"1+{number}=?" for number in range(4)], "1234"), {"samples": 3, "temperature": 1.0}),
}


@pytest.fixture(scope="module")
def run(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the checkpoints of steps 3, 6, 9 and 10, and the evaluations of the base and the last model."""
    folder = tmp_path_factory.mktemp("run")
    for step in (3, 6, 9, 10):
        checkpoint = folder / "checkpoints" / f"step_{step:06d}"
        model, _ = load_checkpoint(tiny_model)
        with torch.no_grad():
            model.model.norm.weight.mul_(step / 20)  # the logits of early checkpoints are flatter
        model.save_pretrained(checkpoint)
        save_tokenizer(checkpoint, VOCABULARY)
    for method, model in (("base", tiny_model), ("lim", folder / "checkpoints" / "step_000010")):
        (folder / method).mkdir()
        evaluated(model, folder / method, BENCHMARKS, SETTINGS, method, seed=3)
    return folder


def steps(run: Path, output: Path, checkpoints: Path | None = None, **training: int) -> pl.DataFrame:
    """What `evaluate_checkpoints` writes for the checkpoints of ``run``, or for others."""
    evaluate_checkpoints(
        checkpoints or run / "checkpoints",
        {"checkpoint_interval": 3, "steps": 10} | training,
        {name: run / "lim" / f"{name}.prompts.parquet" for name in BENCHMARKS},
        {name: settings for name, (_, settings) in BENCHMARKS.items()},
        SETTINGS,
        "lim",
        3,
        base=[run / "base" / f"{name}.parquet" for name in BENCHMARKS],
        trained=[run / "lim" / f"{name}.parquet" for name in BENCHMARKS],
        output=output,
    )
    return read_parquet(output, "evaluation_steps")


def test_every_checkpoint_has_a_row_for_each_problem_of_each_benchmark(run: Path, tmp_path: Path) -> None:
    rows = steps(run, tmp_path / "steps.parquet")
    assert rows.select("method", "seed").unique().rows() == [("lim", 3)]
    found = rows.group_by("step", "benchmark").agg(pl.col("problem_id").n_unique()).sort("step", "benchmark")
    assert found.rows() == [(step, name, count) for step in (0, 3, 6, 9, 10) for name, count in
                            (("greedy", 5), ("sampled", 4))]  # fmt: skip


def test_rows_are_the_means_of_the_samples_that_the_checkpoint_gives_when_it_is_evaluated_alone(
    run: Path, tmp_path: Path
) -> None:
    rows = steps(run, tmp_path / "steps.parquet")
    alone = evaluated(run / "checkpoints" / "step_000006", tmp_path, BENCHMARKS, SETTINGS, "lim", seed=3)
    for name, answers in alone.items():
        found = rows.filter(step=6, benchmark=name)
        for problem, accuracy, length in found.select("problem_id", "accuracy", "response_tokens").iter_rows():
            samples = answers.filter(problem_id=problem)
            assert accuracy == sum(samples["correct"]) / len(samples)
            assert length == pytest.approx(sum(samples["response_tokens"]) / len(samples))
    lengths = rows.filter(benchmark="sampled").group_by("step").agg("response_tokens")["response_tokens"].to_list()
    assert len(set(map(tuple, lengths))) == 5, "with equal checkpoints, these tests would prove nothing"


def test_the_base_and_the_trained_model_do_not_answer_again(
    run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        reused = steps(run, tmp_path / "steps.parquet")
    assert [line for line in caplog.messages if line.startswith("step ")] == [
        f"step {step}: checkpoint {number} of 3" for number, step in enumerate((3, 6, 9), start=1)
    ]
    # as if another step followed: now the model of step 10 answers, with the same result
    more = tmp_path / "checkpoints"
    shutil.copytree(run / "checkpoints", more)
    shutil.copytree(more / "step_000010", more / "step_000012")
    shutil.copytree(more / "step_000003", more / "step_000005")
    again = steps(run, tmp_path / "again.parquet", more, checkpoint_interval=5, steps=12)
    assert again.filter(step=10).equals(reused.filter(step=10))
    assert again.filter(step=12).drop("step").equals(reused.filter(step=10).drop("step"))


def test_two_evaluations_write_the_same_bytes(run: Path, tmp_path: Path) -> None:
    for name in ("1.parquet", "2.parquet"):
        steps(run, tmp_path / name)
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()


def test_a_run_with_one_checkpoint_has_two_steps(run: Path, tmp_path: Path) -> None:
    rows = steps(run, tmp_path / "steps.parquet", tmp_path, checkpoint_interval=10)
    assert set(rows["step"]) == {0, 10}


def test_a_damaged_checkpoint_and_a_missing_one_are_named_and_nothing_is_written(run: Path, tmp_path: Path) -> None:
    checkpoints = shutil.copytree(run / "checkpoints", tmp_path / "checkpoints")
    (checkpoints / "step_000006" / "model.safetensors").write_bytes(b"short")
    with refused(where=checkpoints / "step_000006", what="the weights cannot be read"):
        steps(run, tmp_path / "steps.parquet", checkpoints)
    shutil.rmtree(checkpoints / "step_000006")
    with refused(
        where=checkpoints,
        what="checkpoints of method lim, seed 3 are missing",
        found="no checkpoint of step 6 (1 of 3 missing)",
        advice=f"Copy them back, or delete {tmp_path} to train",
    ):
        steps(run, tmp_path / "steps.parquet", checkpoints)
    assert not (tmp_path / "steps.parquet").exists()
