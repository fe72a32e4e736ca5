"""Response tokens and GPUs of the stages."""

import shutil
from pathlib import Path

import polars as pl
import yaml
from places import ROOT
from table2_run import rows_of

from limr.files.contracts import write_parquet
from limr.report.stage_costs import gpus, response_tokens


def test_tokens_are_summed_over_the_shards_of_a_run_and_the_benchmarks_of_an_evaluation(tmp_path):
    rollouts = tmp_path / "runs/lim/seed3/rollouts"
    for shard, tokens in (("a", [1, 20]), ("b", [300])):
        frame = rows_of("rollouts", pl.DataFrame({"sample": range(len(tokens)), "response_tokens": tokens}))
        write_parquet(frame, rollouts / f"{shard}.parquet", "rollouts")
    evaluations = []
    for name, tokens in (("easy", [4]), ("hard", [50, 600])):
        evaluations.append(tmp_path / f"evaluation/base/seed3/{name}.parquet")
        frame = rows_of("evaluation", pl.DataFrame({"sample": range(len(tokens)), "response_tokens": tokens}))
        write_parquet(frame, evaluations[-1], "evaluation")
    found = {"train/lim-seed3": 321, "evaluation/base-seed3": 654}
    assert response_tokens([rollouts], evaluations) == found
    measured = tmp_path / "probe_checkpoints/seed3/rollouts"
    shutil.copytree(rollouts, measured)
    assert response_tokens([rollouts], evaluations, [measured]) == found | {"probe_checkpoints/seed3": 321}


def test_the_stages_of_the_papers_run_hold_the_gpus_that_they_request():
    configuration = yaml.safe_load(Path(ROOT / "config/paper.yaml").read_text(encoding="utf-8"))
    assert gpus(configuration) == {"train": 8, "evaluation": 8, "evaluation_selected": 8}
    configuration["training"]["nodes"] = 2
    assert gpus(configuration)["train"] == 16
