"""OpenRLHF's log: the metrics of each step, the run's metrics table, and the cause of a failure."""

import ast
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import polars as pl

from limr.files.contracts import write_parquet
from limr.training.openrlhf.records import Attempt, trained_attempt

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
"""Our metric -> OpenRLHF's. OpenRLHF takes means over responses, and the miniature over tokens."""

_STEP = re.compile(r"Global step (\d+): (\{.*\})")
_NOT_FINITE = re.compile(r"(?<=: )-?(nan|inf)\b")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ERROR = re.compile(
    r"^(?:\([^)]*\) *)?((?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Exit|Interrupt)\b(?:\([^)]*\))?: .*)"
)
_DEAD = re.compile(r"\s*class_name: (\w+)")  # in the lines after an error about a dead worker
_WRAPPERS = ("RayTaskError", "RayActorError", "ActorDiedError")


def step_metrics(line: str) -> tuple[int, dict[str, float | None]] | None:
    """(step from 0, its metrics) if ``line`` ends a step; a metric that is not a finite number is None.

    >>> step_metrics("INFO ppo_trainer.py:539] Global step 3: {'kl': 0.5, 'policy_loss': nan}")
    (2, {'kl': 0.5, 'policy_loss': None})
    >>> step_metrics("Generate samples: 100%")
    """
    found = _STEP.search(line)
    if not found:
        return None
    try:
        metrics = ast.literal_eval(_NOT_FINITE.sub("None", found[2]))
    except (ValueError, SyntaxError):  # a line that a kill cut short
        return None
    return int(found[1]) - 1, metrics


def read_metrics(log: Path) -> dict[int, dict[str, float | None]]:
    """Step -> its metrics, from the file ``log``. If a step occurs twice, the last metrics count."""
    if not log.is_file():
        return {}
    with log.open(encoding="utf-8", errors="replace") as lines:
        return dict(filter(None, map(step_metrics, lines)))


def write_metrics(
    means: pl.DataFrame,
    development: Mapping[int, float],
    attempts: Sequence[Attempt],
    logs: Mapping[Attempt, Path],
    rollouts_per_step: int,
    path: Path,
) -> None:
    """Write the metrics contract: one row for each step.

    ``means``: step, reward, accuracy, format_errors and response_tokens, from the rollouts. ``development``: step ->
    accuracy on the development set. ``logs``: OpenRLHF's log of each attempt; metrics that a log lacks, because a kill
    cut it short, are null.
    """
    logged = {attempt: read_metrics(log) for attempt, log in logs.items()}
    rows, without_metrics = [], 0
    for row in means.iter_rows(named=True):
        step = row["step"]
        metrics = logged[trained_attempt(attempts, step)].get(step, {})
        without_metrics += not metrics
        seconds = metrics.get("timing/step_total")
        rows.append(
            row
            | {ours: metrics.get(theirs) for ours, theirs in LOGGED.items()}
            | {
                "development_accuracy": development.get(step),
                "samples_per_second": rollouts_per_step / seconds if seconds else None,
            }
        )
    if without_metrics:
        logger.warning("the log lacks the metrics of %d of %d steps: they are null", without_metrics, len(rows))
    write_parquet(pl.DataFrame(rows, infer_schema_length=None), path, "metrics")


def last_error(lines: Iterable[str]) -> str | None:
    """The last exception that ``lines`` name. An exception of the program takes precedence over Ray's wrapper of it.

    >>> last_error(["(pid=1) ValueError: no such thing", "ray.exceptions.RayTaskError(ValueError): ray::f()"])
    'ValueError: no such thing'
    >>> last_error(["ray.exceptions.ActorDiedError: The actor died.", "\\tclass_name: PolicyModelActor"])
    'ray.exceptions.ActorDiedError: The actor died. (PolicyModelActor)'
    """
    errors: list[tuple[str, str]] = []  # (exception, the dead actor's class)
    for line in lines:
        line = _COLOUR.sub("", line.rstrip())
        if found := _ERROR.match(line):
            errors.append((found[1], ""))
        elif (dead := _DEAD.match(line)) and errors and "ActorDied" in errors[-1][0]:
            errors[-1] = (errors[-1][0], f" ({dead[1]})")
    own = [error for error in errors if not any(wrapper in error[0].split(":")[0] for wrapper in _WRAPPERS)]
    return next(("".join(error) for error in reversed(own or errors)), None)
