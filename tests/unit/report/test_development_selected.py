"""Table 2 shows the checkpoint that is best on the development set beside the last one, or names what is missing."""

import json
from copy import deepcopy

import numpy as np
import polars as pl
import pytest
from refusals import refused
from table2_run import CONFIGURATION, PROBLEMS, results_of, rows_of, write

from limr.files.contracts import write_parquet

STEPS = {("full", 0): 20, ("full", 3): 40, ("rand", 0): 60, ("rand", 3): 60, ("lim", 0): 20, ("lim", 3): 20}
LAST = 60


def problem_ids(name):
    return [f"{name}{problem:03d}" for problem in range(PROBLEMS[name])]


@pytest.fixture
def with_selected(run, tmp_path):
    """The input of Table 2, with one evaluation of a checkpoint per run; that of RAND is its last checkpoint."""
    last = results_of(run)
    rng = np.random.default_rng(1)
    run["selected"] = []
    for (method, seed), step in STEPS.items():
        frames = []
        for name in PROBLEMS:
            accuracies = rng.integers(0, 5, PROBLEMS[name]) / 4
            if step == LAST:
                accuracies = last[method][name][CONFIGURATION["seeds"].index(seed)]
            frame = pl.DataFrame({"problem_id": problem_ids(name), "accuracy": accuracies})
            frames.append(rows_of("evaluation_steps", frame, method=method, seed=seed, step=step, benchmark=name))
        path = tmp_path / f"selected/{method}/seed{seed}.parquet"
        write_parquet(pl.concat(frames).sample(fraction=1, shuffle=True, seed=0), path, "evaluation_steps")
        run["selected"].append(path)
    for name in PROBLEMS:
        run["problems"][name] = tmp_path / f"{name}.parquet"
        problems = rows_of("prompts", pl.DataFrame({"prompt_id": problem_ids(name)}))
        write_parquet(problems, run["problems"][name], "prompts")
    return run


def configured():
    configuration = deepcopy(CONFIGURATION)
    configuration["training"]["steps"] = LAST
    configuration["report"]["development_selected"] = True
    return configuration


def change(path, how):
    how(pl.read_parquet(path)).write_parquet(path)


def test_the_json_has_the_step_and_the_accuracies_of_every_seed(with_selected, outputs):
    rows = json.loads(write(with_selected, outputs, configured())["json"])["development_selected"]
    assert [row["method"] for row in rows] == list(CONFIGURATION["methods"])
    for row in rows:
        for of_seed in row["by_seed"]:
            key = (row["method"], of_seed["seed"])
            assert of_seed["step"] == STEPS[key]
            answers = pl.read_parquet(with_selected["selected"][list(STEPS).index(key)])
            for name, accuracy in of_seed["benchmarks"].items():
                assert accuracy == pytest.approx(answers.filter(benchmark=name)["accuracy"].mean(), abs=1e-6)
            assert of_seed["average"] == pytest.approx(sum(of_seed["benchmarks"].values()) / 2, abs=1e-6)
        averages = [of_seed["average"] for of_seed in row["by_seed"]]
        assert row["average"]["point"] == pytest.approx(sum(averages) / 2, abs=1e-6)


def test_the_table_has_both_checkpoints_of_every_method(with_selected, outputs):
    page = write(with_selected, outputs, configured())
    lines = page["markdown"].splitlines()
    table = {line.split("|")[1].strip(): line for line in lines if ", best on" in line or ", last " in line}
    assert list(table)[:2] == ["FULL, best on development", "FULL, last"] and len(table) == 6
    assert "| 20-40 |" in table["FULL, best on development"].replace("  ", "")
    assert "+0.0 [+0.0, +0.0]" in table["RAND, best on development"], "it is the last checkpoint"
    main = next(line for line in lines if line.startswith("| LIM "))
    for cell in main.split("|")[3:6]:
        assert cell.strip() in table["LIM, last"], "the last checkpoint is that of the table above"


def test_without_the_setting_nothing_changes(with_selected, outputs):
    plain = write(with_selected, outputs)
    assert "development_selected" not in json.loads(plain["json"])
    assert "best on development" not in plain["markdown"]


def test_a_run_without_an_evaluation_of_its_checkpoint_is_named(with_selected, outputs):
    with_selected["selected"].pop(3)
    with refused(what="not evaluated for method rand, seed 3 (1 missing of 6)", advice="Run the evaluation"):
        write(with_selected, outputs, configured())


def test_a_missing_benchmark_or_problem_is_named_with_method_seed_and_step(with_selected, outputs):
    path = with_selected["selected"][1]
    change(path, lambda frame: frame.filter(pl.col("problem_id") != "hard002"))
    parts = {"what": "method full, seed 3, step 40 is not complete", "where": "benchmark hard"}
    with refused(**parts, found="5 problems (1 missing)", expected="the 6"):
        write(with_selected, outputs, configured())
    change(path, lambda frame: frame.filter(pl.col("benchmark") == "easy"))
    with refused(**parts, found="0 problems (6 missing)"):
        write(with_selected, outputs, configured())


@pytest.mark.parametrize(
    ("how", "found"),
    [
        (lambda frame: frame.with_columns(seed=pl.lit(7, pl.Int64)), "method full, seed 7, step 20"),
        (
            lambda frame: pl.concat([frame, frame.with_columns(step=pl.lit(40, pl.Int64))]),
            "step 20; method full, seed 0, step 40",
        ),
        (lambda frame: frame.with_columns(seed=pl.lit(3, pl.Int64)), "method full, seed 3, step 20"),
        (lambda frame: frame.head(0), "no rows"),
    ],
)
def test_a_file_of_another_run_or_of_two_checkpoints_is_refused(with_selected, outputs, how, found):
    change(with_selected["selected"][0], how)
    order = with_selected["selected"]
    with_selected["selected"] = [*order[1:], order[0]]
    with refused(where=order[0], found=found, expected="one checkpoint of a run"):
        write(with_selected, outputs, configured())
