"""Evaluations of small benchmarks for the tests of both engines."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from limr.evaluation import evaluate
from limr.files.contracts import read_parquet, write_parquet
from limr.prompts import prompt_id


def problems(prompts: Iterable[str], answers: Iterable[str]) -> pl.DataFrame:
    """Problems as a table of the contract prompts."""
    prompts, answers = list(prompts), list(answers)
    return pl.DataFrame(
        {
            "prompt_id": [prompt_id(prompt) for prompt in prompts],
            "prompt": prompts,
            "answer": answers,
            "level": [1] * len(prompts),
            "subject": ["sums"] * len(prompts),
            "source": ["test"] * len(prompts),
            "gradable": [True] * len(prompts),
        }
    )


def evaluated(
    model: Path,
    folder: Path,
    benchmarks: dict[str, tuple[pl.DataFrame, dict[str, Any]]],
    settings: dict[str, Any],
    method: str = "lim",
    seed: int = 0,
) -> dict[str, pl.DataFrame]:
    """Evaluate ``model`` in ``folder``; ``benchmarks`` maps a name to its problems and its settings."""
    inputs = {name: folder / f"{name}.prompts.parquet" for name in benchmarks}
    for name, (frame, _) in benchmarks.items():
        write_parquet(frame, inputs[name], "prompts")
    outputs = {name: folder / f"{name}.parquet" for name in benchmarks}
    benchmark_settings = {name: settings_of_one for name, (_, settings_of_one) in benchmarks.items()}
    evaluate(model, inputs, benchmark_settings, settings, method, seed, outputs)
    return {name: read_parquet(path, "evaluation") for name, path in outputs.items()}
