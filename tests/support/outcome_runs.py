"""Small training runs for the outcomes: metrics with given accuracies, and rollouts of known length."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from table2_run import rows_of, write_evaluation

from limr.files.contracts import write_parquet
from limr.report.outcomes_page import write_outcomes

STEPS, ROLLOUTS = 6, 3  # of every run; a response of step s has s + 1 tokens
WHOLE_RUN = (18, 63)  # rollouts and tokens: 3 x (1 + 2 + ... + 6)
CONFIGURATION = {
    "seeds": [0, 1, 2],
    "training": {"engine": "miniature", "steps": STEPS},
    "benchmarks": {"quiz": {"title": "Quiz", "samples": 1, "temperature": 0.0}},
    "methods": {
        "full": {"score": "full", "keep": "all"},
        "rand": {"score": "rand", "keep": {"share": 0.5}},
        "lim": {"score": "lim", "keep": {"share": 0.5}},
    },
    "report": {"bootstrap_resamples": 100, "confidence": 0.95},
}
CURVES = {  # step -> development accuracy
    "full": {0: 0.2, 2: 0.6, 4: 0.7},  # 90 % of the gain: 0.65; 95 %: 0.675
    "rand": {0: 0.2, 2: 0.66, 4: 0.5},
    "lim": {0: 0.2, 2: 0.5, 4: 0.68},
}


def write_run(folder: Path, curve: Mapping[int, float]) -> Path:
    """The metrics and rollouts of one run, in two shards. Returns ``folder``."""
    accuracies = pl.Series([curve.get(step) for step in range(STEPS)], dtype=pl.Float64)
    metrics = pl.DataFrame({"step": range(STEPS), "development_accuracy": accuracies})
    write_parquet(rows_of("metrics", metrics), folder / "metrics.parquet", "metrics")
    for first in (0, 4):
        steps = [step for step in range(first, min(first + 4, STEPS)) for _ in range(ROLLOUTS)]
        shard = pl.DataFrame({"step": steps, "response_tokens": [step + 1 for step in steps]})
        shard = shard.with_columns(sample=pl.int_range(pl.len()))
        write_parquet(rows_of("rollouts", shard), folder / f"rollouts/{first}.parquet", "rollouts")
    return folder


def write_runs(folder: Path, configuration: Any = CONFIGURATION) -> list[Path]:
    """A run of every method and seed with the accuracies of CURVES; returns their folders."""
    return [
        write_run(folder / f"runs/{method}/seed{seed}", CURVES[method])
        for method in configuration["methods"]
        for seed in configuration["seeds"]
    ]


def write_answers(folder: Path, shares: Mapping[str, float], configuration: Any = CONFIGURATION) -> list[Path]:
    """Evaluations of ten problems: seed 1 answers one problem less and seed 2 one more than the share of its method."""
    files = []
    for method, share in shares.items():
        for seed in configuration["seeds"]:
            right = round(10 * share) + (0, -1, 1)[seed]
            files.append(folder / f"evaluation/{method}/seed{seed}/quiz.parquet")
            write_evaluation(files[-1], method, seed, "quiz", np.arange(10)[:, np.newaxis] < right)
    return files


def page(folder: Path, evaluations: list[Path], runs: list[Path], configuration: Any = CONFIGURATION) -> str:
    """Write the page and the CSV to ``folder``, and return the page."""
    outputs = {"markdown": folder / "outcomes.md", "csv": folder / "outcomes.csv"}
    write_outcomes(evaluations, runs, configuration, outputs)
    return outputs["markdown"].read_text(encoding="utf-8")
