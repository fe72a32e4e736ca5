"""The input of Table 2: small files of two benchmarks, two seeds and three methods."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from limr.files.contracts import columns, write_parquet
from limr.report.results import evaluated_methods, read_results
from limr.report.table2 import write_table2

PROBLEMS = {"easy": 20, "hard": 6}
ACCURACY = {"base": 0.3, "full": 0.8, "rand": 0.6, "lim": 0.7}
CONFIGURATION = {
    "seeds": [0, 3],
    "data": {"source": "miniature", "seed": 1},
    "training": {"engine": "miniature"},
    "benchmarks": {
        "easy": {"title": "Easy-20", "mirrors": "MATH500", "samples": 1, "temperature": 0.0},
        "hard": {"title": "Hard-6", "mirrors": "AIME24", "samples": 4, "temperature": 0.4},
    },
    "methods": {
        "full": {"score": "full", "keep": "all"},
        "rand": {"score": "rand", "keep": {"share": 0.5}},
        "lim": {"score": "lim", "keep": {"share": 0.5}},
    },
    "evaluation": {"engine": "transformers", "top_p": 0.95, "max_response_tokens": 48, "batch_size": 256},
    "report": {"bootstrap_resamples": 1000, "confidence": 0.95},
}


def rows_of(contract: str, frame: pl.DataFrame, **filler: object) -> pl.DataFrame:
    """``frame`` with the other columns of the contract filled in."""
    for name, dtype in columns(contract).items():
        if name not in frame.columns:
            value = filler.get(name, {"String": "", "Int64": 1, "Float64": 0.0, "Boolean": True}[str(dtype)])
            frame = frame.with_columns(pl.lit(value, dtype).alias(name))
    return frame


def write_evaluation(path: Path, method: str, seed: int, benchmark: str, correct: np.ndarray) -> None:
    """An evaluation file; ``correct`` is [problems, samples]."""
    count, samples = correct.shape
    frame = pl.DataFrame(
        {
            "problem_id": [f"{benchmark}{problem:03d}" for problem in range(count) for _ in range(samples)],
            "sample": list(range(samples)) * count,
            "correct": correct.ravel().astype(bool),
        }
    ).sample(fraction=1, shuffle=True, seed=seed)  # the order of rows must not matter
    filled = rows_of("evaluation", frame, method=method, seed=seed, benchmark=benchmark)
    write_parquet(filled, path, "evaluation")


def write_training_set(path: Path, gradable: list[bool]) -> None:
    """A training set with one prompt per entry of ``gradable``."""
    frame = pl.DataFrame({"prompt_id": [f"p{i}" for i in range(len(gradable))], "gradable": gradable})
    write_parquet(rows_of("prompts", frame), path, "prompts")


def write_inputs(folder: Path) -> dict[str, Any]:
    """Write every input file below ``folder``, and return the arguments of ``write_table2`` that name them."""
    random = np.random.default_rng(0)
    files = {"evaluations": [], "problems": {}, "prompts": folder / "train.parquet", "subsets": {}, "rollouts": {}}
    write_training_set(files["prompts"], gradable=[True] * 16)
    for method, accuracy in ACCURACY.items():
        for seed in CONFIGURATION["seeds"]:
            for name, benchmark in CONFIGURATION["benchmarks"].items():
                path = folder / f"evaluation/{method}/{seed}/{name}.parquet"
                correct = random.random((PROBLEMS[name], benchmark["samples"])) < accuracy
                write_evaluation(path, method, seed, name, correct)
                files["evaluations"].append(path)
    for method in CONFIGURATION["methods"]:
        files["subsets"][method], files["rollouts"][method] = [], []
        for seed in CONFIGURATION["seeds"]:
            questions = {"full": 16, "rand": 8, "lim": 8 + seed}[method]
            subset = folder / f"subsets/{method}/{seed}.parquet"
            write_parquet(
                rows_of("subset", pl.DataFrame({"prompt_id": [f"p{i}" for i in range(questions)]})), subset, "subset"
            )
            files["subsets"][method].append(subset)
            shards = folder / f"rollouts/{method}/{seed}"
            for step in range(5):
                shard = rows_of("rollouts", pl.DataFrame({"sample": range(8)}), step=step, visit=step)
                write_parquet(shard, shards / f"{step}.parquet", "rollouts")
            files["rollouts"][method].append(shards)
    return files


def write(run: dict[str, Any], outputs: Mapping[str, Path], configuration: Any = CONFIGURATION) -> dict[str, str]:
    """Write the table from ``run``, and return the text of each file."""
    write_table2(**run, configuration=configuration, configuration_files=["config.yaml"], outputs=outputs)
    return {kind: path.read_text() for kind, path in outputs.items()}


def results_of(run: dict[str, Any], configuration: Any = CONFIGURATION) -> dict[str, dict[str, np.ndarray]]:
    """The accuracies of ``run``."""
    methods = evaluated_methods(configuration)
    return read_results(run["evaluations"], methods, configuration["seeds"], configuration["benchmarks"])
