"""The checkpoint of a training run with the best accuracy on the development set, and its results on the benchmarks."""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from limr.evaluation import graded_answers
from limr.evaluation.development import development_accuracies, development_answers
from limr.evaluation.evaluated_steps import mean_by_problem
from limr.files.contracts import read_parquet, write_parquet
from limr.jobs.run_counts import checkpoint_folders, checkpoint_steps

logger = logging.getLogger(__name__)

_NEEDED_FOR = "Only `report.development_selected` needs them: remove this key for a Table 2 of the last checkpoints."


def evaluate_selected(
    checkpoints: Path,
    training: Mapping[str, Any],
    benchmarks: Mapping[str, Path],
    benchmark_settings: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, Any],
    method: str,
    seed: int,
    metrics: Path,
    development: Path,
    trained: Iterable[Path],
    output: Path,
) -> None:
    """Write one file (contract evaluation_steps) with the results of the selected checkpoint of one run.

    The checkpoint with the best accuracy on the ``development`` set (contract prompts) is selected; of several, the
    first. The ``metrics`` of the run have the accuracy of most checkpoints. Those without, such as the miniature's
    last one, answer the development set here, greedily as in training.

    If the last checkpoint is selected, its results are those of ``trained``, the evaluation files of the trained model.
    ``training`` is the section of the configuration; the other arguments are those of ``graded_answers``.

    Raises LimrError if a checkpoint is missing that must answer here, and as ``graded_answers`` does.
    """
    run, steps = f"method {method}, seed {seed}", checkpoint_steps(training)
    known = development_accuracies(metrics, training["engine"])
    unknown = [step for step in steps if step not in known]
    for step, folder in checkpoint_folders(checkpoints, unknown, run, _NEEDED_FOR).items():
        known[step] = development_answers(folder, development, settings, method, seed)["correct"].mean()
    step = best_step({step: known[step] for step in steps})
    logger.info("%s: step %d of %d is best on development, %.1f %%", run, step, steps[-1], 100 * known[step])
    if step == steps[-1]:
        answered = [read_parquet(path, "evaluation") for path in trained]
    else:
        folder = checkpoint_folders(checkpoints, [step], run, _NEEDED_FOR)[step]
        answers = graded_answers(folder, benchmarks, benchmark_settings, settings, method, seed)
        answered = [graded for _, graded in answers]
    table = pl.concat(mean_by_problem(graded, step) for graded in answered)
    table = table.with_columns(method=pl.lit(method), seed=pl.lit(seed))
    write_parquet(table.sort("step", "benchmark", "problem_id"), output, "evaluation_steps")


def best_step(accuracies: Mapping[int, float]) -> int:
    """The step with the highest accuracy; of several, the first.

    >>> best_step({20: 0.5, 40: 0.75, 60: 0.75})
    40
    """
    return max(sorted(accuracies), key=lambda step: accuracies[step])
