"""The learning rate of supervised fine-tuning: the one whose model is best on the development set, and on nothing else.

Reinforcement learning has a rate that was chosen by such a sweep too. Without one, supervised fine-tuning would lose by
neglect.
"""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from limr.evaluation.development import development_answers
from limr.files.atomic import whole_directory
from limr.files.contracts import write_parquet
from limr.models.base_model import link_or_copy

logger = logging.getLogger(__name__)


def choose_learning_rate(
    models: Mapping[float, Path],
    development: Path,
    settings: Mapping[str, Any],
    row: str,
    seed: int,
    sweep: Path,
    model: Path,
) -> None:
    """Write the accuracies of ``models`` (learning rate -> model directory) to ``sweep``, and the best to ``model``.

    Each model answers the prompts of ``development`` greedily. Of equally good rates, the lowest is chosen.
    ``settings`` are those of ``graded_answers``; ``row`` and ``seed`` name the run in the log. ``sweep`` is a file of
    contract sweep; the files of ``model`` are hard links where possible.
    """
    rows = []
    for rate, directory in sorted(models.items()):
        answers = development_answers(directory, development, settings, row, seed)
        rows.append(
            {
                "learning_rate": rate,
                "development_accuracy": float(answers["correct"].mean()),
                "response_tokens": float(answers["response_tokens"].mean()),
            }
        )
    best = max(rows, key=lambda row: row["development_accuracy"])["learning_rate"]  # the first of the best
    logger.info("%s, seed %d: learning rate %g is the best of %d on the development set", row, seed, best, len(rows))
    table = pl.DataFrame(rows).with_columns(chosen=pl.col("learning_rate") == best)
    with whole_directory(model) as temporary:
        shutil.copytree(models[best], temporary, copy_function=link_or_copy, dirs_exist_ok=True)
    write_parquet(table, sweep, "sweep")
