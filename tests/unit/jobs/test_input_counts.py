"""A stage does not start on an input that holds fewer rows than the configuration or another file promises."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from complete_results import PROMPTS, change
from refusals import refused
from table2_run import rows_of

from limr.files.contracts import write_parquet
from limr.jobs.input_counts import check_inputs

TRAIN, BENCHMARK = "data/train.parquet", "data/benchmarks/easy.parquet"
SCORES, SUBSET = "scores/lim/seed0.parquet", "subsets/lim/seed0.parquet"
TRAJECTORIES, EVALUATION = "trajectories/seed0.parquet", "evaluation/lim/seed0/easy.parquet"
PARTS = "trajectories/samples1/seed0.parquet", "trajectories/probe_checkpoints/seed0.parquet"
MEASURED = "probe_checkpoints/seed0/rollouts"
RUN, STEPS = "runs/lim/seed0", "evaluation_steps/lim/seed0.parquet"

# stage -> what it reads, as the rules name it
INPUTS = {
    "pretrain_base_model": [TRAIN, "data/development.parquet", BENCHMARK],
    "train": ["base_model", SUBSET, "data/development.parquet"],
    "extract_trajectories": ["runs/full/seed0/rollouts"],
    "score_lim": [TRAIN, TRAJECTORIES],
    "score_lim_few": [TRAIN, PARTS[0]],
    "probe_measure": [TRAIN, TRAJECTORIES, PARTS[1]],
    "extract_probe_checkpoints": [MEASURED],
    "select": [SCORES, TRAIN],
    "evaluate": [f"{RUN}/model", BENCHMARK],
    "table2": [EVALUATION, TRAIN, SUBSET, f"{RUN}/rollouts"],
    "outcomes": [EVALUATION, f"{RUN}/metrics.parquet", f"{RUN}/rollouts"],
    "evaluate_checkpoints": [BENCHMARK, "evaluation/base/seed0/easy.parquet", EVALUATION],
    "figure3": [STEPS, f"{RUN}/metrics.parquet"],
    "learning_curves": [f"{RUN}/metrics.parquet"],
    "early_stopping": [TRAIN, TRAJECTORIES],
    "compare_methods": ["scores/full/seed0.parquet", SCORES],
    "selection_summary": [SCORES, TRAJECTORIES],
    "selection_figure": [TRAJECTORIES, SCORES],
}


def check(stage: str, configuration: Mapping[str, Any]) -> None:
    check_inputs([f"{configuration['results']}/{name}" for name in INPUTS[stage]], configuration)


@pytest.mark.parametrize("stage", INPUTS)
def test_complete_inputs_are_accepted(configuration: dict[str, Any], stage: str) -> None:
    check(stage, configuration)


def without_last(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.head(-1)


def last_problem_left_out_at_step_3(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter((pl.col("step") != 3) | (pl.col("problem_id") != "q2"))


def half_the_samples(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(n_samples=pl.lit(1, pl.Int64))


def repeated_problem(frame: pl.DataFrame) -> pl.DataFrame:
    """The last problem is replaced by further samples of the first one."""
    last = pl.col("problem_id") == "q2"
    return frame.with_columns(
        problem_id=pl.when(last).then(pl.lit("q0")).otherwise("problem_id"),
        sample=pl.when(last).then(pl.col("sample") + 2).otherwise("sample"),
    )


@pytest.mark.parametrize(
    ("file", "cut", "parts", "stages"),
    [
        (
            TRAIN,
            without_last,
            {"found": "5 problems", "expected": "6 (`data.train`)"},
            ["pretrain_base_model", "train", "score_lim", "select", "table2", "early_stopping", "compare_methods"],
        ),
        (
            "data/development.parquet",
            without_last,
            {"found": "1 problem", "expected": "2 (`data.development`)"},
            ["pretrain_base_model", "train"],
        ),
        (
            BENCHMARK,
            without_last,
            {"found": "2 problems", "expected": "3 (`benchmarks.easy.problems`)"},
            ["pretrain_base_model", "evaluate", "table2"],
        ),
        (
            TRAJECTORIES,
            without_last,
            {"found": "11 visits", "expected": "12 (`training.steps` x `training.prompts_per_step`)"},
            ["score_lim", "early_stopping", "selection_summary", "selection_figure"],
        ),
        (
            TRAJECTORIES,
            half_the_samples,
            {"found": "12 samples", "expected": "24 (`training.samples_per_prompt` x visits)"},
            ["score_lim", "early_stopping", "selection_summary", "selection_figure"],
        ),
        (
            PARTS[0],
            lambda frame: frame.with_columns(n_samples=pl.lit(2, pl.Int64)),
            {"found": "24 samples", "expected": "12 (`probe.samples` x visits)"},
            ["score_lim_few"],
        ),
        (
            PARTS[1],
            without_last,
            {"found": "11 visits", "expected": "12 (`data.train` x checkpoints)"},
            ["probe_measure"],
        ),
        (
            SCORES,
            without_last,
            {"found": "5 prompts (missing: 1, not expected: 0)", "expected": "the 6 in"},
            ["train", "select", "table2", "compare_methods", "selection_summary", "selection_figure"],
        ),
        (
            SCORES,
            lambda frame: frame.with_columns(method=pl.lit("full")),
            {"found": "full", "expected": "lim"},
            ["train", "select", "compare_methods", "selection_summary", "selection_figure"],
        ),
        (SUBSET, without_last, {"found": "1 prompt", "expected": "the 2 selected in"}, ["train", "table2"]),
        (
            SUBSET,
            lambda frame: frame.with_columns(prompt_id=pl.Series(["p0", "p5"])),
            {"found": "2 prompts (missing: 1, not expected: 1)", "expected": "the 2 selected in"},
            ["train", "table2"],
        ),
        (
            EVALUATION,
            lambda frame: frame.head(-2),
            {"found": "2 problems (missing: 1, not expected: 0)", "expected": "the 3 in"},
            ["table2"],
        ),
        (EVALUATION, without_last, {"found": "1 sample", "expected": "2 (`benchmarks.easy.samples`)"}, ["table2"]),
        (
            STEPS,
            lambda frame: frame.filter(pl.col("step") != 3),
            {"found": "the steps 0, 4", "expected": "0, 3, 4 (`training.checkpoint_interval`, `training.steps`)"},
            ["figure3"],
        ),
        (
            STEPS,
            last_problem_left_out_at_step_3,
            {"found": "2 problems (missing: 1, not expected: 0)", "expected": "the 3 in"},
            ["figure3"],
        ),
        (
            STEPS,
            lambda frame: frame.with_columns(seed=pl.lit(1, pl.Int64)),
            {"found": "method lim, seed 1", "expected": "method lim, seed 0"},
            ["figure3"],
        ),
        (EVALUATION, repeated_problem, {"found": "2 problems", "expected": "the 3 in"}, ["table2"]),
        (
            EVALUATION,
            lambda frame: frame.with_columns(seed=pl.lit(1, pl.Int64)),
            {"found": "method lim, seed 1", "expected": "method lim, seed 0"},
            ["table2"],
        ),
    ],
)
def test_no_stage_reads_a_file_that_is_too_short_or_of_another_run(
    configuration: dict[str, Any], file: str, cut: Callable[[pl.DataFrame], pl.DataFrame], parts: Any, stages: list[str]
) -> None:
    path = Path(configuration["results"], file)
    change(path, cut)
    for stage in stages:
        with refused(where=path, advice=f"Delete {path}", **parts):
            check(stage, configuration)


def test_rollouts_from_checkpoints_are_counted(configuration: dict[str, Any]) -> None:
    folder = Path(configuration["results"], MEASURED)
    change(folder / "steps.parquet", without_last)
    with refused(where=folder, found="23 rollouts", expected="24 (`data.train` x checkpoints", advice="Delete"):
        check("extract_probe_checkpoints", configuration)


@pytest.mark.parametrize(
    ("model", "stage", "expected"),
    [
        ("base_model", "train", "8 (`base_model.hidden_size`)"),
        ("base_model", "evaluate", "8 (`base_model.hidden_size`)"),
        (f"{RUN}/model", "evaluate", "8, as in"),
    ],
)
def test_a_model_of_another_size_is_refused(
    configuration: dict[str, Any], model: str, stage: str, expected: str
) -> None:
    file = Path(configuration["results"], model, "config.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | {"hidden_size": 16}))
    with refused(where=(file, "hidden_size"), found="16", expected=expected):
        check(stage, configuration)


def test_a_copy_is_no_evaluation_of_the_base_model_with_a_prompt(configuration: dict[str, Any]) -> None:
    evaluations = Path(configuration["results"], "evaluation")
    shutil.copytree(evaluations / "base", evaluations / "base_prompt")
    file = evaluations / "base_prompt/seed0/easy.parquet"
    with refused(where=file, found="method base, seed 0", expected="method base_prompt, seed 0"):
        check_inputs([file], configuration)


SELECTED = pl.col("step") == 3  # the results of one checkpoint


@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        (lambda rows: rows.filter(pl.col("step") >= 3), {"found": "the steps 3, 4", "expected": "one of 3, 4"}),
        (lambda rows: rows.filter(pl.col("step") == 0), {"found": "the steps 0", "expected": "one of 3, 4"}),
        (
            lambda rows: last_problem_left_out_at_step_3(rows).filter(SELECTED),
            {"found": "2 problems (missing: 1, not expected: 0)", "expected": "the 3 in"},
        ),
        (
            lambda rows: rows.filter(SELECTED).with_columns(method=pl.lit("full")),
            {"found": "method full, seed 0", "expected": "method lim, seed 0"},
        ),
    ],
)
def test_the_results_of_a_selected_checkpoint_are_those_of_one_checkpoint_of_the_run(
    configuration: dict[str, Any], changed: Callable[[pl.DataFrame], pl.DataFrame], parts: dict[str, str]
) -> None:
    results = Path(configuration["results"])
    rows, path = pl.read_parquet(results / STEPS), results / "evaluation_selected/lim/seed0.parquet"
    write_parquet(rows.filter(SELECTED), path, "evaluation_steps")
    check_inputs([path], configuration)
    write_parquet(changed(rows), path, "evaluation_steps")
    with refused(where=path, **parts):
        check_inputs([path], configuration)


@pytest.mark.parametrize("number", [0, 2])
def test_the_record_of_broken_golds_has_the_share_of_the_configuration(
    configuration: dict[str, Any], number: int
) -> None:
    configuration["data"]["pool"] = {"broken": 1 / 6}
    path = Path(configuration["results"], "data/broken_golds.parquet")
    write_parquet(rows_of("broken_golds", pl.DataFrame({"prompt_id": PROMPTS[:1]})), path, "broken_golds")
    check_inputs([path], configuration)
    write_parquet(rows_of("broken_golds", pl.DataFrame({"prompt_id": PROMPTS[:number]})), path, "broken_golds")
    with refused(where=path, found=f"{number} gold answers", expected="1 (`data.pool.broken` x `data.train`)"):
        check_inputs([path], configuration)


def test_a_size_that_a_model_does_not_name_is_not_compared(configuration: dict[str, Any]) -> None:
    Path(configuration["results"], RUN, "model/config.json").write_text('{"text_config": {}}')
    check("evaluate", configuration)


def test_a_model_that_exists_already_may_have_any_size(configuration: dict[str, Any]) -> None:
    check("evaluate", configuration | {"base_model": {"path": "models/qwen"}})


def test_the_audit_has_the_number_of_real_problems(configuration: dict[str, Any]) -> None:
    configuration["data"] = {"source": "math", "prompts": "published"}
    audit = Path(configuration["results"], "data/audit.json")
    golds = {"train": 6, "development": 2, "easy": 3}
    audit.write_text(json.dumps({"golds": {name: {"graded": number} for name, number in golds.items()}}))
    check("evaluate", configuration)
    change(Path(configuration["results"], BENCHMARK), without_last)
    with refused(where=BENCHMARK, found="2 problems", expected=f"3 ({audit})"):
        check("evaluate", configuration)


def test_trajectories_of_openrlhf_and_of_own_runs_are_compared_with_their_audit(configuration: dict[str, Any]) -> None:
    file = Path(configuration["results"], TRAJECTORIES)
    audit = file.with_suffix(".audit.json")
    change(file, without_last)
    audit.write_text(json.dumps({"prompts": 6, "points": 11, "rollouts": 22}))  # OpenRLHF lost a visit
    openrlhf = configuration | {"training": configuration["training"] | {"engine": "openrlhf"}}
    own_run = {"results": configuration["results"], "trajectories": {"path": "log"}}
    for allowed in (openrlhf, own_run):
        check_inputs([file], allowed)
        audit.write_text(json.dumps({"prompts": 6, "points": 12, "rollouts": 24}))
        with refused(where=file, found="11 visits", expected=f"12 ({audit})"):
            check_inputs([file], allowed)
        audit.write_text(json.dumps({"prompts": 6, "points": 11, "rollouts": 22}))


@pytest.mark.parametrize(
    ("content", "parts"), [('{"prompts": 6, "poi', {"what": "not JSON"}), ("[6]", {"found": "[6]"})]
)
def test_an_audit_that_is_damaged_is_an_error_with_its_name(
    configuration: dict[str, Any], content: str, parts: dict[str, str]
) -> None:
    audit = Path(configuration["results"], TRAJECTORIES).with_suffix(".audit.json")
    audit.write_text(content)
    with refused(where=audit, expected="an object", **parts):
        check("score_lim", configuration)


def test_scores_of_an_own_run_have_a_row_for_each_prompt_of_the_trajectories(configuration: dict[str, Any]) -> None:
    results = Path(configuration["results"])
    own_run = {"results": str(results), "trajectories": {"path": "log"}}
    check_inputs([results / SCORES], own_run)
    subset = rows_of("log_subset", pl.DataFrame({"prompt_id": PROMPTS[:2]}))
    write_parquet(subset, results / SUBSET, "log_subset")
    check_inputs([results / SUBSET], own_run)
    change(results / SCORES, without_last)
    with refused(where=results / SCORES, found="5 prompts", expected=f"the 6 in {results / TRAJECTORIES}"):
        check_inputs([results / SUBSET], own_run)


def test_a_run_that_was_copied_from_another_seed_is_found(configuration: dict[str, Any]) -> None:
    results = Path(configuration["results"])
    shutil.copytree(results / "runs/full/seed0", results / "runs/full/seed1")
    rollouts, original = results / "runs/full/seed1/rollouts", results / "runs/full/seed0"
    both = f"Delete {rollouts.parent} and {original},"  # either may be the copy
    with refused(where=rollouts.parent, found=f"the same metrics as in {original}", advice=both):
        check_inputs([rollouts], configuration | {"seeds": [0, 1]})
    change(original / "metrics.parquet", lambda rows: rows.with_columns(samples_per_second=pl.lit(7.5)))
    check_inputs([rollouts], configuration | {"seeds": [0, 1]})


def test_a_file_that_the_stage_does_not_read_may_be_missing(configuration: dict[str, Any]) -> None:
    Path(configuration["results"], SCORES).unlink()
    check("train", configuration)


def test_files_outside_the_results_are_not_checked(configuration: dict[str, Any], tmp_path: Path) -> None:
    other = tmp_path / "other" / SCORES
    write_parquet(rows_of("scores", pl.DataFrame({"prompt_id": ["p0"]})), other, "scores")
    check_inputs([other], configuration)
