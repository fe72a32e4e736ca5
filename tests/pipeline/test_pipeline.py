"""The whole DAG with a tiny miniature: its outputs, the stages that a change reruns, and resumption after a kill."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from workplace import Workplace

SEED = "seed0.parquet"
BASES = ("base", "base_prompt")


def test_a_run_makes_every_target_and_log_and_leaves_no_partial_file(finished: Workplace) -> None:
    results = finished.results
    tables = ("table1", "table2", "outcomes", "comparison", "early_stopping")
    for target in (
        "table2.json",
        "selection.md",
        "wall_times.md",
        "report.md",
        "report.html",
        *[f"{name}.{kind}" for name in tables for kind in ("md", "csv")],
    ):
        assert (results / target).stat().st_size > 0
    for figure in ("learning_curves", "selection", "early_stopping", "score_distribution"):
        assert (results / "figures" / f"{figure}.png").read_bytes().startswith(b"\x89PNG")
    columns = {
        "figure1b": b"method,row,questions,accuracy,low,high,seed_0",
        "figure2a": b"kind,prompt_id,prompts,visit,mean,low,high,seed_0",
        "figure2b": b"prompt_id,rank,score,selected,visit,value,mean",
        "figure3": b"panel,method,step,mean,low,high,seed_0",
        "figure4": b"panel,method,step,mean,low,high,seed_0",
    }
    for figure, header in columns.items():
        for kind, start in {"png": b"\x89PNG", "svg": b"<?xml", "csv": header}.items():
            assert (results / "figures" / f"{figure}.{kind}").read_bytes().startswith(start)
    for log in ("prepare_data", "train/full-seed0", "scores/lim-seed0", "evaluation/base-seed0", "table2"):
        assert (results / "logs" / f"{log}.log").exists()
    assert not list(results.rglob("*.partial"))
    assert not [path for path in (results / "work").iterdir() if path.is_dir()]


def test_the_table_has_one_row_per_method_and_the_rows_differ(finished: Workplace) -> None:
    rows = [line.split("|") for line in (finished.results / "table2.md").read_text().splitlines() if "[" in line]
    accuracies = {row[1].strip(): row[3:-1] for row in rows if len(row) == 7}
    assert list(accuracies)[:4] == ["Base model", "FULL", "RAND", "LIM"]
    assert len({str(row) for row in accuracies.values()}) > 1, "with equal rows, the tests below would prove nothing"


def test_checkpoints_are_evaluated_for_the_figures_and_not_for_the_tables(finished: Workplace, tmp_path: Path) -> None:
    place = finished.copy(tmp_path / "without")
    rows = pl.read_parquet(place.results / "evaluation_steps" / "lim" / SEED)
    assert rows["step"].unique().sort().to_list() == list(range(0, 21, 2))
    shutil.rmtree(place.results / "evaluation_steps")
    assert "Nothing to be done" in place.make("results/table2.md")
    plan = place.plan("--force", "results/figures/figure4.svg")
    assert plan == {"evaluate_checkpoints": 3, "figure4": 1, "total": 4}


def test_the_last_step_of_the_figures_is_the_model_of_the_table(finished: Workplace) -> None:
    drawn = pl.read_csv(finished.results / "figures" / "figure3.csv").filter(panel="accuracy")
    averages = pl.read_csv(finished.results / "table2.csv").filter(benchmark="average")
    for method in ("full", "rand", "lim"):
        table = averages.filter(method=method)["accuracy"][0]
        assert drawn.filter(method=method, step=20)["mean"].to_list() == pytest.approx([table], abs=1e-5)
        base = averages.filter(method="base")["accuracy"][0]
        assert drawn.filter(method=method, step=0)["mean"].to_list() == pytest.approx([base], abs=1e-5)


def test_without_the_checkpoints_of_a_run_its_evaluation_fails_and_nothing_trains_again(
    finished: Workplace, tmp_path: Path
) -> None:
    place = finished.copy(tmp_path / "deleted")
    shutil.rmtree(place.results / "runs" / "rand" / "seed0" / "checkpoints")
    assert "Nothing to be done" in place.make()
    (place.results / "evaluation_steps" / "rand" / SEED).unlink()
    assert place.plan("--force", "results/figures/figure4.svg") == {"evaluate_checkpoints": 1, "figure4": 1, "total": 2}
    failed = place.snakemake("--force", "results/figures/figure4.svg")
    assert failed.returncode != 0
    error = "Error: results/runs/rand/seed0/checkpoints: checkpoints of method rand, seed 0 are missing"
    assert error in failed.stdout
    assert "Nothing to be done" in place.make("results/table2.md")


def test_a_second_run_does_nothing(finished: Workplace) -> None:
    assert "Nothing to be done" in finished.make()


def test_two_runs_with_the_same_seed_give_byte_identical_tables(finished: Workplace, workplace: Workplace) -> None:
    workplace.make("results/table2.md")
    for table in ("table2.md", "table2.csv", "table2.json"):
        assert (workplace.results / table).read_bytes() == (finished.results / table).read_bytes()


def _theta(configuration: dict[str, Any]) -> None:
    configuration["methods"]["lim"]["keep"]["theta"] = 0.0


def _confidence(configuration: dict[str, Any]) -> None:
    configuration["report"]["confidence"] = 0.9


def _temperature(configuration: dict[str, Any]) -> None:
    configuration["benchmarks"]["synth_easy"]["temperature"] = 0.9


def _title(configuration: dict[str, Any]) -> None:
    configuration["benchmarks"]["synth_easy"]["title"] = "Easy"


def _default_grader(configuration: dict[str, Any]) -> None:
    configuration["reward"]["grader"] = "limr"


def _math_verify(configuration: dict[str, Any]) -> None:
    configuration["reward"]["grader"] = "math_verify"


def _prefix(configuration: dict[str, Any]) -> None:
    configuration["base_model"]["prefix"] = "Show the steps. "


def _new_method(configuration: dict[str, Any]) -> None:
    configuration["methods"]["linear"] = {"score": "linear", "keep": {"share": 0.5}}


TABLE = {"table2": 1, "outcomes": 1, "report_page": 1, "figure1b": 1, "all": 1}
FIGURES = {"figure3": 1, "figure4": 1}
NEW_RUN = {**TABLE, "select": 1, "train": 1, "evaluate": 1, "learning_curves": 1, "table1": 1}
NEW_RUN |= {**FIGURES, "evaluate_checkpoints": 1, "selection_summary": 1, "score_distribution": 1, "compare_methods": 1}
OTHER_REWARD = {**NEW_RUN, "train": 3, "evaluate": 4, "evaluate_checkpoints": 3, "extract_trajectories": 1}
OTHER_REWARD |= {"score_lim": 1, "early_stopping": 1, "figure2a": 1, "figure2b": 1, "selection_figure": 1}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_theta, {**NEW_RUN, "score_lim": 1, "figure2b": 1, "selection_figure": 1, "early_stopping": 1}),
        (_new_method, {**NEW_RUN, "score_linear": 1}),
        (_temperature, {**TABLE, **FIGURES, "evaluate": 4, "evaluate_checkpoints": 3}),
        (_confidence, {**TABLE, **FIGURES, "figure2a": 1}),
        (_title, {**TABLE, **FIGURES}),
        (_default_grader, TABLE),
        (_math_verify, OTHER_REWARD),
        (_prefix, {**TABLE, "evaluate": 1}),
    ],
)
def test_a_changed_setting_reruns_the_stages_that_read_it_and_those_after_them(
    finished: Workplace, tmp_path: Path, change: Any, expected: dict[str, int]
) -> None:
    place = finished.copy(tmp_path / "changed")
    place.configure(change)
    planned = place.plan()
    planned.pop("total")
    assert planned == expected


def test_a_prefix_evaluates_the_base_model_once_more_and_keeps_every_other_row(
    finished: Workplace, tmp_path: Path
) -> None:
    place = finished.copy(tmp_path / "with_prefix")
    before = (place.results / "table2.csv").read_text().splitlines()
    place.configure(_prefix)
    place.make("results/table2.md")
    after = (place.results / "table2.csv").read_text().splitlines()
    assert [line for line in after if not line.startswith("base_prompt,")] == before
    assert len(after) == len(before) + 3
    answers = [pl.read_parquet(place.results / f"evaluation/{name}/seed0/synth_easy.parquet") for name in BASES]
    assert answers[0]["problem_id"].equals(answers[1]["problem_id"])
    assert answers[0]["response"].to_list() != answers[1]["response"].to_list()


def _supervised(configuration: dict[str, Any]) -> None:
    solutions = {"source": "miniature", "levels": [1, 2], "share": 0.163}
    row = {"solutions": solutions, "epochs": 2, "batch_size": 8, "learning_rates": [0.003, 0.0003]}
    configuration["supervised"] = {"sft": row}


def test_supervised_fine_tuning_adds_table_3_and_trains_nothing_else_again(finished: Workplace, tmp_path: Path) -> None:
    place = finished.copy(tmp_path / "supervised")
    before = (place.results / "table2.csv").read_bytes()
    place.configure(_supervised)
    new = {"draw_solutions": 1, "fine_tune": 2, "choose_learning_rate": 1, "evaluate": 1, "table3": 1}
    planned = place.plan()
    planned.pop("total")
    assert planned == {**TABLE, **new}
    place.make("results/table3.md")
    rows = [line.split("|") for line in (place.results / "table3.md").read_text().splitlines() if "[" in line]
    methods = [[cell.strip() for cell in row[1:4]] for row in rows if len(row) == 9]
    assert methods == [
        ["Base model", "-", "-"], ["SFT", "SFT", "10"], ["FULL", "RL", "64"], ["RAND", "RL", "10"],
        ["LIM", "RL", "64"],
    ]  # fmt: skip
    sweep = pl.read_parquet(place.results / "supervised" / "sft" / "seed0" / "sweep.parquet")
    assert sweep["learning_rate"].to_list() == [0.0003, 0.003]
    assert sweep["chosen"].sum() == 1
    assert (place.results / "table2.csv").read_bytes() == before


@pytest.mark.parametrize("section", ["data", "benchmarks", "base_model", "training", "evaluation"])
def test_another_order_of_keys_reruns_only_what_shows_the_keys(
    finished: Workplace, tmp_path: Path, section: str
) -> None:
    place = finished.copy(tmp_path / "reversed")
    place.configure(lambda configuration: configuration.update({section: _reversed(configuration[section])}))
    planned = place.plan()
    planned.pop("total")
    assert planned == (TABLE | FIGURES if section == "benchmarks" else TABLE)


def _reversed(value: Any) -> Any:
    """``value`` with the keys of all its sections in reverse order."""
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return value


def test_one_stage_can_be_rerun_by_its_rule_or_by_a_target(finished: Workplace) -> None:
    plan = finished.plan("--forcerun", "score_lim", "--", "results/selection.md")
    assert plan == {"score_lim": 1, "selection_summary": 1, "total": 2}
    assert finished.plan("--force", "results/subsets/rand/seed0.parquet") == {"select": 1, "total": 1}


def test_the_report_holds_the_table_and_the_figures(finished: Workplace, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    finished.make("--report", str(report))
    text = report.read_text(encoding="utf-8")
    numbered = [f"figure{number}.png" for number in ("1b", "2a", "2b", "3", "4")]
    for part in ("table2.csv", "comparison.csv", "learning_curves.png", "early_stopping.png", *numbered):
        assert part in text


def test_the_report_of_a_run_without_figures_shows_what_is_there(finished: Workplace, tmp_path: Path) -> None:
    place = finished.copy(tmp_path / "table2_only")
    shutil.rmtree(place.results / "figures")
    (place.results / "table1.csv").unlink()
    place.make("--report", "report.html")
    text = (place.folder / "report.html").read_text(encoding="utf-8")
    shown = set(re.findall(r"filename=([\w.]+);base64", text))  # other names are those of the rules' outputs
    assert {"table2.csv", "comparison.csv"} <= shown
    assert not {"table1.csv", "figure3.png"} & shown


def test_a_truncated_file_is_named_and_deleting_it_lets_the_run_continue(finished: Workplace, tmp_path: Path) -> None:
    place = finished.copy(tmp_path / "truncated")
    scores = place.results / "scores" / "lim" / SEED
    scores.write_bytes(scores.read_bytes()[:100])
    failed = place.snakemake()
    assert failed.returncode != 0
    assert "Error: results/scores/lim/seed0.parquet: cannot be read as Parquet (100 bytes" in failed.stdout
    assert "Traceback" not in failed.stdout
    assert (place.results / "runs/full/seed0/model/model.safetensors").exists()
    scores.unlink()
    # other jobs may be planned too: the scheduler decides which job fails on the file and loses its output
    plan = place.plan()
    assert (plan["score_lim"], plan["select"]) == (1, 1)
    assert "pretrain_base_model" not in plan


def test_killed_runs_resume_and_give_the_same_table(finished: Workplace, tmp_path: Path) -> None:
    """The training job is killed, then Snakemake and all its jobs, and the third run finishes."""
    place = finished.copy(tmp_path / "killed")
    before = (place.results / "table2.md").read_bytes()
    (place.results / "table2.md").unlink()
    for folder in ("runs", "evaluation"):
        shutil.rmtree(place.results / folder / "lim")

    with _start(place) as run:
        os.kill(_trainer_after_a_checkpoint(place), signal.SIGKILL)
        assert run.wait(timeout=120) != 0
    with _start(place) as run:
        _trainer_after_a_checkpoint(place)
        os.killpg(run.pid, signal.SIGKILL)
    locked = place.snakemake()
    assert locked.returncode != 0
    assert "--unlock" in locked.stdout
    place.make("--unlock")
    output = place.make()
    assert re.search(r"resuming at step \d+ of 20", output)
    assert (place.results / "table2.md").read_bytes() == before


def _start(place: Workplace) -> "subprocess.Popen[bytes]":
    log = (place.folder / "killed.log").open("ab")
    return subprocess.Popen(place.command(), cwd=place.folder, stdout=log, stderr=log, start_new_session=True)


def _trainer_after_a_checkpoint(place: Workplace) -> int:
    """The process that trains LIM, once it has saved another state than the process before it."""
    work = place.results / "work" / "lim-seed0"
    known = _state_time(work)
    deadline = time.monotonic() + 120
    while _state_time(work) == known:
        assert time.monotonic() < deadline, (place.folder / "killed.log").read_text()
        time.sleep(0.005)
    return json.loads((place.results / "logs" / "train" / "lim-seed0.log.lock").read_text())["process"]


def _state_time(work: Path) -> int:
    return max((path.stat().st_mtime_ns for path in work.glob("state.pt")), default=0)
