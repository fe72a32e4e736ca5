"""The development set: greedy answers of a model, and the accuracies that a training run recorded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from limr.evaluation import graded_answers
from limr.files.contracts import read_parquet

_NAME = "development"
_GREEDY = {_NAME: {"samples": 1, "temperature": 0.0}}


def development_answers(
    model: Path, development: Path, settings: Mapping[str, Any], method: str, seed: int
) -> pl.DataFrame:
    """The graded answers of the model in directory ``model``, one greedy sample per prompt, as in training.

    ``development`` is a file of contract prompts; the other arguments are those of ``graded_answers``.
    """
    ((_, answers),) = graded_answers(model, {_NAME: development}, _GREEDY, settings, method, seed)
    return answers


def development_accuracies(metrics: Path, engine: str) -> dict[int, float]:
    """Training steps -> the accuracy on the development set after so many steps, from a metrics file.

    The miniature evaluates before the step that its metrics name, OpenRLHF after it.
    """
    rows = read_parquet(metrics, "metrics").select("step", "development_accuracy").drop_nulls().sort("step")
    after = 1 if engine == "openrlhf" else 0
    return {step + after: accuracy for step, accuracy in rows.iter_rows()}
