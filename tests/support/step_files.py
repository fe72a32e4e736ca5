"""Write the input files of the figures over training steps."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl
from table2_run import rows_of

from limr.files.contracts import write_parquet


def write_steps(
    folder: Path, method: str, seed: int, accuracies: Mapping[int, Mapping[str, list[float]]], tokens: float = 8.0
) -> Path:
    """An evaluation_steps file; ``accuracies``: step -> benchmark -> one accuracy per problem."""
    rows = [
        (step, benchmark, f"{benchmark}{problem}", accuracy, tokens + step)
        for step, by_benchmark in accuracies.items()
        for benchmark, values in by_benchmark.items()
        for problem, accuracy in enumerate(values)
    ]
    frame = pl.DataFrame(rows, ["step", "benchmark", "problem_id", "accuracy", "response_tokens"], orient="row")
    path = folder / "evaluation_steps" / method / f"seed{seed}.parquet"
    write_parquet(rows_of("evaluation_steps", frame, method=method, seed=seed), path, "evaluation_steps")
    return path


def write_rewards(folder: Path, method: str, seed: int, rewards: Mapping[int, float]) -> Path:
    """A metrics file; ``rewards``: step -> mean reward."""
    frame = pl.DataFrame({"step": list(rewards), "reward": list(rewards.values())})
    path = folder / "runs" / method / f"seed{seed}" / "metrics.parquet"
    write_parquet(rows_of("metrics", frame), path, "metrics")
    return path
