"""Evaluation along training: the accuracy and response length of the checkpoints of one training run."""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from limr.evaluation import graded_answers
from limr.files.contracts import read_parquet, write_parquet
from limr.jobs.run_counts import checkpoint_folders, checkpoint_steps

logger = logging.getLogger(__name__)

_NEEDED_FOR = "Only the figures over training steps need them: `snakemake results/table2.md` does without."


def evaluate_checkpoints(
    checkpoints: Path,
    training: Mapping[str, Any],
    benchmarks: Mapping[str, Path],
    benchmark_settings: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, Any],
    method: str,
    seed: int,
    base: Iterable[Path],
    trained: Iterable[Path],
    output: Path,
) -> None:
    """Write one file (contract evaluation_steps) with the results of the checkpoints of one run.

    ``checkpoints`` holds the model directories ``step_000020`` and so on; the section ``training`` of the configuration
    says which steps these are. ``base`` and ``trained`` are the evaluation files of the base model and of the trained
    model, one per benchmark. They give the rows of step 0 and of the last checkpoint, which is the trained model; only
    the checkpoints between them answer the benchmarks here. The other arguments are those of ``graded_answers``, and so
    are the random draws.

    Raises LimrError if a checkpoint is missing, and as ``graded_answers`` does.
    """
    *between, last = checkpoint_steps(training)
    folders = checkpoint_folders(checkpoints, between, f"method {method}, seed {seed}", _NEEDED_FOR)
    rows = [mean_by_problem(read_parquet(path, "evaluation"), step=0) for path in base]
    for number, (step, checkpoint) in enumerate(folders.items(), start=1):
        logger.info("step %d: checkpoint %d of %d", step, number, len(folders))
        answers = graded_answers(checkpoint, benchmarks, benchmark_settings, settings, method, seed)
        rows += [mean_by_problem(graded, step) for _, graded in answers]
    rows += [mean_by_problem(read_parquet(path, "evaluation"), step=last) for path in trained]
    table = pl.concat(rows).with_columns(method=pl.lit(method), seed=pl.lit(seed))
    write_parquet(table.sort("step", "benchmark", "problem_id"), output, "evaluation_steps")


def mean_by_problem(answers: pl.DataFrame, step: int) -> pl.DataFrame:
    """The mean accuracy and length of the samples of each problem."""
    # the samples are sorted: the order of a sum decides its last digit
    return (
        answers.sort("sample")
        .group_by("benchmark", "problem_id", maintain_order=True)
        .agg(accuracy=pl.col("correct").mean(), response_tokens=pl.col("response_tokens").mean())
        .with_columns(step=pl.lit(step))
    )
