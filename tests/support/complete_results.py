"""A complete folder of results, as the stages leave it: six prompts, four steps, two methods, one benchmark."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
from table2_run import rows_of

from limr.files.contracts import write_parquet
from limr.training.schedule import step_prompts

SIZES = {
    "hidden_size": 8,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
}
PROMPTS = [f"p{number}" for number in range(6)]
PROBLEMS = [f"q{number}" for number in range(3)]
SELECTED = {"full": PROMPTS, "lim": PROMPTS[:2]}
STEPS, PER_STEP, SAMPLES, INTERVAL = 4, 3, 2, 3
STEPS_OF_CHECKPOINTS = [0, 3, 4]  # with the base model


def write_results(results: Path) -> dict[str, Any]:
    """Write the files below ``results``, and return the configuration that they belong to."""
    _problems(results / "data/train.parquet", PROMPTS)
    _problems(results / "data/development.parquet", ["d0", "d1"])
    _problems(results / "data/benchmarks/easy.parquet", PROBLEMS)
    _model(results / "base_model")
    for method, selected in SELECTED.items():
        scores = pl.DataFrame({"prompt_id": PROMPTS, "selected": [prompt in selected for prompt in PROMPTS]})
        _write(rows_of("scores", scores, method=method), results / f"scores/{method}/seed0.parquet", "scores")
        subset = rows_of("subset", pl.DataFrame({"prompt_id": selected}))
        _write(subset, results / f"subsets/{method}/seed0.parquet", "subset")
        _write_run(results / f"runs/{method}/seed0", selected)
    for method in ("base", *SELECTED):
        answers = pl.DataFrame({"problem_id": sorted(PROBLEMS * SAMPLES), "sample": [0, 1] * len(PROBLEMS)})
        answers = rows_of("evaluation", answers, method=method, seed=0, benchmark="easy")
        _write(answers, results / f"evaluation/{method}/seed0/easy.parquet", "evaluation")
    for method in SELECTED:
        steps = pl.DataFrame({"step": STEPS_OF_CHECKPOINTS}).join(pl.DataFrame({"problem_id": PROBLEMS}), how="cross")
        steps = rows_of("evaluation_steps", steps, method=method, seed=0, benchmark="easy")
        _write(steps, results / f"evaluation_steps/{method}/seed0.parquet", "evaluation_steps")
    visits = pl.DataFrame({"prompt_id": sorted(PROMPTS * 2), "epoch": [0, 1] * len(PROMPTS)})
    visits = rows_of("trajectories", visits, n_samples=SAMPLES)
    _write(visits, results / "trajectories/seed0.parquet", "trajectories")
    _write(visits.with_columns(n_samples=1), results / "trajectories/samples1/seed0.parquet", "trajectories")
    # two checkpoints, so two visits too
    _write(visits, results / "trajectories/probe_checkpoints/seed0.parquet", "trajectories")
    measured = visits.select("prompt_id", visit="epoch").join(pl.DataFrame({"sample": [0, 1]}), how="cross")
    shard = results / "probe_checkpoints/seed0/rollouts/steps.parquet"
    _write(rows_of("rollouts", measured), shard, "rollouts")
    audit = {"prompts": len(PROMPTS), "points": len(visits), "rollouts": len(visits) * SAMPLES}
    (results / "trajectories/seed0.audit.json").write_text(json.dumps(audit))
    return {
        "results": str(results),
        "seeds": [0],
        "data": {"source": "miniature", "train": len(PROMPTS), "development": 2},
        "benchmarks": {"easy": {"problems": len(PROBLEMS), "samples": SAMPLES}},
        "base_model": {"seed": 1, **SIZES},
        "training": {
            "engine": "miniature",
            "steps": STEPS,
            "prompts_per_step": PER_STEP,
            "samples_per_prompt": SAMPLES,
            "checkpoint_interval": INTERVAL,
        },
    }


def change(file: Path, how: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Change the rows of a Parquet file, but not its time: Snakemake would not notice."""
    time = file.stat().st_mtime_ns
    how(pl.read_parquet(file, hive_partitioning=False)).write_parquet(file)
    os.utime(file, ns=(time, time))


def _write_run(run: Path, prompts: list[str]) -> None:
    rows = [
        (prompts[index], visit, sample, step, 1.0 if (index + step) % 2 else -1.0)
        for step in range(STEPS)
        for index, visit in zip(*step_prompts(len(prompts), PER_STEP, step, seed=0), strict=True)
        for sample in range(SAMPLES)
    ]
    rollouts = pl.DataFrame(rows, ["prompt_id", "visit", "sample", "step", "reward"], orient="row")
    for (first,), shard in rollouts.group_by(pl.col("step") // 2 * 2):
        _write(rows_of("rollouts", shard), run / f"rollouts/steps_{first:06d}_{first + 1:06d}.parquet", "rollouts")
    metrics = rollouts.group_by("step").agg(pl.col("reward").mean()).sort("step")
    _write(rows_of("metrics", metrics), run / "metrics.parquet", "metrics")
    _model(run / "model")


def _problems(path: Path, ids: list[str]) -> None:
    _write(rows_of("prompts", pl.DataFrame({"prompt_id": ids})), path, "prompts")


def _model(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"vocab_size": 99, **SIZES}))


def _write(frame: pl.DataFrame, path: Path, contract: str) -> None:
    write_parquet(frame, path, contract)
