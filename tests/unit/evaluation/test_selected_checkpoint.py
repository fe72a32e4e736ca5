"""`evaluate_selected` on tiny random models: which checkpoint is chosen, and which models answer."""

from pathlib import Path

import polars as pl
import pytest
import torch
from evaluation_runs import evaluated, problems
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused
from table2_run import rows_of
from tiny_model import VOCABULARY, save_tokenizer

from limr.evaluation.selected_checkpoint import best_step, evaluate_selected
from limr.files.contracts import read_parquet, write_parquet
from limr.models.checkpoint import load_checkpoint

SETTINGS = {
    "engine": "transformers",
    "top_p": 0.95,
    "max_response_tokens": 12,
    "batch_size": 8,
    "threads": 1,
    "reward_rule": "paper",
}
BENCHMARKS = {
    "greedy": (problems([f"{number}=?" for number in range(3)], map(str, range(3))), {"samples": 1, "temperature": 0}),
    "sampled": (problems(["1+1=?"], "2"), {"samples": 3, "temperature": 1.0}),
}


@pytest.fixture(scope="module")
def run(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the checkpoints of steps 3, 6 and 8, a development set, and the evaluation of the last model."""
    folder = tmp_path_factory.mktemp("run")
    for step in (3, 6, 8):
        checkpoint = folder / "checkpoints" / f"step_{step:06d}"
        model, _ = load_checkpoint(tiny_model)
        with torch.no_grad():
            model.model.norm.weight.mul_(step / 10)
        model.save_pretrained(checkpoint)
        save_tokenizer(checkpoint, VOCABULARY)
    evaluated(folder / "checkpoints" / "step_000008", folder, BENCHMARKS, SETTINGS, seed=3)
    write_parquet(BENCHMARKS["greedy"][0], folder / "development.parquet", "prompts")
    return folder


def selected(run: Path, tmp_path: Path, accuracies: dict[int, float], checkpoints: Path | None = None) -> pl.DataFrame:
    """What is written for a run of the miniature with these accuracies on the development set."""
    metrics = pl.DataFrame(
        {"step": list(range(8)), "development_accuracy": [accuracies.get(step) for step in range(8)]},
        {"step": pl.Int64, "development_accuracy": pl.Float64},
    )
    write_parquet(rows_of("metrics", metrics, accuracy=0.5, format_errors=0.5), tmp_path / "metrics.parquet", "metrics")
    evaluate_selected(
        checkpoints or run / "checkpoints",
        {"engine": "miniature", "checkpoint_interval": 3, "steps": 8},
        {name: run / f"{name}.prompts.parquet" for name in BENCHMARKS},
        {name: settings for name, (_, settings) in BENCHMARKS.items()},
        SETTINGS,
        "lim",
        3,
        metrics=tmp_path / "metrics.parquet",
        development=run / "development.parquet",
        trained=[run / f"{name}.parquet" for name in BENCHMARKS],
        output=tmp_path / "selected.parquet",
    )
    return read_parquet(tmp_path / "selected.parquet", "evaluation_steps")


def test_the_best_checkpoint_on_development_answers_every_benchmark(run: Path, tmp_path: Path) -> None:
    """The last checkpoint has no accuracy in the metrics: it answers the development set here, all of it wrongly."""
    rows = selected(run, tmp_path, {0: 1.0, 3: 0.25, 6: 0.5, 7: 1.0})
    assert rows.select("method", "seed", "step").unique().rows() == [("lim", 3, 6)], "0 and 7 are no checkpoints"
    alone = evaluated(run / "checkpoints" / "step_000006", tmp_path, BENCHMARKS, SETTINGS, seed=3)
    for name, answers in alone.items():
        lengths = answers.group_by("problem_id").agg(pl.col("response_tokens").mean()).sort("problem_id")
        assert rows.filter(benchmark=name)["response_tokens"].to_list() == lengths["response_tokens"].to_list()


def test_of_several_best_checkpoints_the_first_is_chosen(run: Path, tmp_path: Path) -> None:
    assert selected(run, tmp_path, {3: 0.5, 6: 0.5})["step"].unique().to_list() == [3]


def test_the_last_checkpoint_is_not_evaluated_again(run: Path, tmp_path: Path, monkeypatch) -> None:
    """Its evaluation stays the one that Table 2 shows: no model answers the benchmarks."""
    asked = []

    def answers(folder, benchmarks, *rest):
        asked.append((folder.name, list(benchmarks)))
        yield "development", pl.DataFrame({"correct": [True, True]})

    for module in ("development", "selected_checkpoint"):
        monkeypatch.setattr(f"limr.evaluation.{module}.graded_answers", answers)
    rows = selected(run, tmp_path, {3: 0.25, 6: 0.5})
    assert rows["step"].unique().to_list() == [8]
    assert asked == [("step_000008", ["development"])]
    assert rows["problem_id"].n_unique() == 4


def test_a_checkpoint_that_must_answer_and_is_missing_is_named(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    with refused(what="of method lim, seed 3 are missing", found="no checkpoint of step 8", advice="development_selec"):
        selected(run, tmp_path, {3: 0.5, 6: 0.25}, checkpoints=folder)
    (folder / "step_000008").symlink_to(run / "checkpoints" / "step_000008")
    with refused(what="of method lim, seed 3 are missing", found="no checkpoint of step 3"):
        selected(run, tmp_path, {3: 0.5, 6: 0.25}, checkpoints=folder)


@given(st.dictionaries(st.integers(1, 99), st.sampled_from([0.0, 0.25, 0.5]), min_size=1))
def test_no_checkpoint_is_better_and_no_earlier_one_as_good(accuracies: dict[int, float]) -> None:
    best = best_step(accuracies)
    assert all(accuracies[step] <= accuracies[best] for step in accuracies)
    assert all(accuracies[step] < accuracies[best] for step in accuracies if step < best)
