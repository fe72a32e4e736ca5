"""Write the input files of the figures: the given numbers, and the other columns of the contracts filled in."""

from pathlib import Path

import numpy as np
import polars as pl

from limr.files.contracts import columns, write_parquet


def write_metrics(path: Path, rewards: list[float]) -> Path:
    """A metrics file with one step per reward, and an evaluation at every other step."""
    steps = len(rewards)
    frame = pl.DataFrame(
        {
            "step": range(steps),
            "reward": rewards,
            "development_accuracy": [0.5 if step % 2 == 0 else None for step in range(steps)],
        }
    )
    others = [name for name in columns("metrics") if name not in frame.columns]
    write_parquet(frame.with_columns(pl.lit(0.0).alias(name) for name in others), path, "metrics")
    return path


def write_curves(path: Path, rewards: np.ndarray) -> Path:
    """A trajectories file; ``rewards`` are [prompts, visits]."""
    count, visits = rewards.shape
    frame = pl.DataFrame(
        {
            "prompt_id": [f"p{prompt:03d}" for prompt in range(count) for _ in range(visits)],
            "epoch": list(range(visits)) * count,
            "mean_reward": rewards.ravel(),
            "accuracy": [0.25] * rewards.size,
            "n_samples": [8] * rewards.size,
        }
    )
    write_parquet(frame, path, "trajectories")
    return path


def write_scores(path: Path, scores: list[float | None], kept: int, method: str = "lim") -> Path:
    """A scores file; ``scores`` are sorted from the best, None for no score, and the first ``kept`` are selected."""
    frame = pl.DataFrame(
        {
            "method": method,
            "prompt_id": [f"p{prompt:03d}" for prompt in range(len(scores))],
            "score": scores,
            "rank": [None if score is None else rank for rank, score in enumerate(scores, start=1)],
            "selected": [rank < kept for rank in range(len(scores))],
            "reason": "",
        }
    )
    write_parquet(frame, path, "scores")
    return path
