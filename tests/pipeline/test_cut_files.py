"""A file that was cut after its stage, with its old time, stops the stage that reads it; restored, all is as before."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import yaml
from refusals import refused
from workplace import Workplace

from limr.jobs.input_counts import check_inputs

SHARD = "runs/full/seed0/rollouts/steps_000018_000019.parquet"
METRICS, EVALUATION = "runs/lim/seed0/metrics.parquet", "evaluation/{}/seed0/synth_all.parquet"

Cut = Callable[[pl.DataFrame], pl.DataFrame]


def cut(file: Path, change: Cut | None) -> None:
    """Change the rows of ``file``, or remove it. Snakemake notices neither: the times stay as they were."""
    times = {path: path.stat().st_mtime_ns for path in (file, file.parent)}
    if change is None:
        file.unlink()
    else:
        change(pl.read_parquet(file, hive_partitioning=False)).write_parquet(file)
    for path, time in times.items():
        if path.exists():
            os.utime(path, ns=(time, time))


def first_problems(number: int) -> Cut:
    return lambda rows: rows.filter(pl.col("problem_id").rank("dense") <= number)


@pytest.mark.parametrize(
    ("file", "change", "read", "found", "expected"),
    [
        (SHARD, None, "runs/full/seed0/rollouts", "18 steps (step 18 is missing)", "20 (`training.steps`)"),
        (SHARD, lambda rows: rows.head(200), "runs/full/seed0/rollouts", "72 rollouts", "128 (`training.prompts_per"),
        ("data/train.parquet", lambda rows: rows.head(10), "data/train.parquet", "10 problems", "64 (`data.train`)"),
        (
            "data/benchmarks/synth_all.parquet",
            lambda rows: rows.head(20),
            "data/benchmarks/synth_all.parquet",
            "20 problems",
            "40 (`benchmarks.synth_all.problems`)",
        ),
        (
            "trajectories/seed0.parquet",
            lambda rows: rows.filter(pl.col("epoch") < 9),
            "trajectories/seed0.parquet",
            "576 visits",
            "640 (`training.steps` x",
        ),
        ("scores/lim/seed0.parquet", lambda rows: rows.head(20), "subsets/lim/seed0.parquet", "20 prompts", "the 64"),
        ("subsets/rand/seed0.parquet", lambda rows: rows.head(5), "subsets/rand/seed0.parquet", "5 prompts", "the 10"),
        (METRICS, lambda rows: rows.head(3), METRICS, "3 steps (step 3 is missing)", "20 (`training.steps`)"),
        (EVALUATION.format("full"), first_problems(10), EVALUATION.format("full"), "10 problems", "the 40 in"),
    ],
)
def test_every_kind_of_file_is_checked_where_the_workflow_puts_it(
    finished: Workplace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    change: Cut | None,
    read: str,
    found: str,
    expected: str,
) -> None:
    shutil.copytree(finished.results, tmp_path / "results")
    monkeypatch.chdir(tmp_path)
    configuration = yaml.safe_load((finished.folder / "config.yaml").read_text())
    check_inputs([f"results/{read}"], configuration)
    cut(Path("results", file), change)
    with refused(found=found, expected=expected, advice="Delete results/"):
        check_inputs([f"results/{read}"], configuration)


def test_a_stage_stops_at_cut_files_and_goes_on_when_these_are_restored(finished: Workplace, tmp_path: Path) -> None:
    place = finished.copy(tmp_path / "cut")
    evaluations = [EVALUATION.format(method) for method in ("base", "full", "rand", "lim")]
    for name in evaluations:
        cut(place.results / name, first_problems(10))
    failed = place.snakemake("--forcerun", "table2", "--", "results/table2.md")
    assert failed.returncode != 0
    assert re.search(r"^total +1$", failed.stdout, re.MULTILINE), "Snakemake noticed the files by itself"
    assert (
        f"Error: results/{evaluations[0]}: found 10 problems (missing: 30, not expected: 0), expected the 40 in "
        "results/data/benchmarks/synth_all.parquet. "
    ) in failed.stdout
    assert "Traceback" not in failed.stdout

    for name in evaluations:
        shutil.copy2(finished.results / name, place.results / name)
    output = place.make("results/table2.md")
    assert re.search(r"^total +1$", output, re.MULTILINE), "other stages than table2 ran again"
    for table in ("table2.md", "table2.csv", "table2.json"):
        assert (place.results / table).read_bytes() == (finished.results / table).read_bytes()
