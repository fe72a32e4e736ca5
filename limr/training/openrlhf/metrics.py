"""The run's metrics, a row a step: means of its rollouts, and what OpenRLHF's log says about the updates."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from limr.files.contracts import write_parquet
from limr.training.openrlhf.records import Attempt, trained_attempt
from limr.training.openrlhf.training_log import read_metrics

logger = logging.getLogger(__name__)

LOGGED = {
    "kl": "kl",
    "entropy": "entropy_loss",
    "policy_loss": "policy_loss",
    "value_loss": "critic_loss",
    "clip_fraction": "ppo_clip_ratio",
    "learning_rate": "actor_lr",
    "gradient_norm": "actor_grad_norm",
}
"""Our metric -> OpenRLHF's. Its means are over responses, ours in the miniature over tokens."""


def write_metrics(
    means: pl.DataFrame,
    development: Mapping[int, float],
    attempts: Sequence[Attempt],
    logs: Mapping[Attempt, Path],
    rollouts_a_step: int,
    path: Path,
) -> None:
    """Write the metrics contract.

    ``means``: step, reward, accuracy, format_errors, response_tokens. ``development``: accuracy after a step.
    ``logs``: OpenRLHF's log of each attempt; what it does not say, cut short by a kill, is null.
    """
    logged = {attempt: read_metrics(log) for attempt, log in logs.items()}
    rows, silent = [], 0
    for row in means.iter_rows(named=True):
        step = row["step"]
        said = logged[trained_attempt(attempts, step)].get(step, {})
        silent += not said
        seconds = said.get("timing/step_total")
        rows.append(
            row
            | {ours: said.get(theirs) for ours, theirs in LOGGED.items()}
            | {
                "development_accuracy": development.get(step),
                "samples_per_second": rollouts_a_step / seconds if seconds else None,
            }
        )
    if silent:
        logger.warning("the log says nothing about the updates of %d of %d steps: they are null", silent, len(rows))
    write_parquet(pl.DataFrame(rows, infer_schema_length=None), path, "metrics")
