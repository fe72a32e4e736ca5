"""A finished training run of the user, from its log folder to the subset: config/own_run.yaml."""

import json
import random
from pathlib import Path

import polars as pl
import pytest
from workplace import ROOT, Workplace

from limr.prompts import prompt_id

PROMPTS, VISITS, SAMPLES, STEPS_PER_EPOCH = 40, 3, 4, 2
CONFIGURATION = ["--configfile", str(ROOT / "config" / "own_run.yaml"), "--config", "trajectories={path: log}", "--"]
RESULTS = "results/own_run"


def text(number: int) -> str:
    return f"What is {number} + {number}?"


def write_log(folder: Path) -> None:
    """Write a log as verl does: one file per step, and prompts in a chat template. Prompts are learned one by one."""
    generator = random.Random(0)
    folder.mkdir()
    for step in range(VISITS * STEPS_PER_EPOCH):
        visit, part = divmod(step, STEPS_PER_EPOCH)
        rows = [
            {
                "input": f"<|im_start|>user\n{text(number)}<|im_end|>\n<|im_start|>assistant\n",
                "output": "a response",
                "gts": str(2 * number),
                "score": 1.0 if generator.random() < (visit + 1) * number / (VISITS * PROMPTS) else -0.5,
                "step": step + 1,
            }
            for number in range(part, PROMPTS, STEPS_PER_EPOCH)
            for _ in range(SAMPLES)
        ]
        (folder / f"{step + 1}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """The log and its results. Tests that change the log work on a copy."""
    folder = tmp_path_factory.mktemp("own")
    write_log(folder / "log")
    made = Workplace(folder)
    made.make(*CONFIGURATION, *(f"{RESULTS}/{file}" for file in ("subsets/lim/seed0.parquet", "comparison.md")))
    return made


def test_the_subset_holds_the_prompts_of_the_log_with_their_answers_and_scores(place: Workplace) -> None:
    subset = pl.read_parquet(place.folder / RESULTS / "subsets/lim/seed0.parquet")
    assert subset.columns == ["prompt_id", "prompt", "answer", "score"]
    assert len(subset) == round(0.163 * PROMPTS)
    expected = {prompt_id(text(number)): (text(number), str(2 * number)) for number in range(PROMPTS)}
    assert all(expected[row["prompt_id"]] == (row["prompt"], row["answer"]) for row in subset.iter_rows(named=True))
    assert subset["score"].is_sorted(descending=True)


def test_an_audit_beside_the_trajectories_describes_the_log(place: Workplace) -> None:
    trajectories = pl.read_parquet(place.folder / RESULTS / "trajectories/seed0.parquet")
    assert len(trajectories) == PROMPTS * VISITS and set(trajectories["n_samples"]) == {SAMPLES}
    audit = json.loads((place.folder / RESULTS / "trajectories/seed0.audit.json").read_text(encoding="utf-8"))
    assert audit["format"] == "verl"
    assert "verl" in (place.folder / RESULTS / "trajectories/seed0.audit.md").read_text(encoding="utf-8")


def test_methods_are_compared_and_a_second_run_does_nothing(place: Workplace) -> None:
    comparison = (place.folder / RESULTS / "comparison.md").read_text(encoding="utf-8")
    assert all(
        f"| {method} | {PROMPTS} | {PROMPTS} | 0 |" in comparison for method in ("lim", "standard_deviation", "rand")
    )
    assert place.plan(*CONFIGURATION, f"{RESULTS}/comparison.md", f"{RESULTS}/subsets/lim/seed0.parquet") == {}


def test_all_targets_are_planned_and_a_new_or_changed_file_is_read_again(place: Workplace, tmp_path: Path) -> None:
    copy = place.copy(tmp_path / "copy")
    plan = copy.plan(*CONFIGURATION, "all")
    expected = ("select", "selection_summary", "early_stopping", "selection_figure", "figure2a", "figure2b")
    assert all(plan[rule] for rule in expected) and "extract_trajectories" not in plan
    first = copy.folder / "log" / "1.jsonl"
    (copy.folder / "log" / "7.jsonl").write_bytes(first.read_bytes())
    assert copy.plan(*CONFIGURATION, f"{RESULTS}/scores/lim/seed0.parquet")["extract_trajectories"] == 1
    (copy.folder / "log" / "7.jsonl").unlink()
    first.write_text(first.read_text(encoding="utf-8").replace("-0.5", "1.0", 1), encoding="utf-8")
    assert copy.plan(*CONFIGURATION, f"{RESULTS}/scores/lim/seed0.parquet")["extract_trajectories"] == 1


def test_a_missing_folder_is_reported_before_anything_runs(tmp_path: Path) -> None:
    failed = Workplace(tmp_path).snakemake("--dry-run", *CONFIGURATION, "all")
    assert failed.returncode != 0
    assert "trajectories.path: log: no such file or folder, expected the log of a run" in failed.stdout
    assert "Traceback" not in failed.stdout
