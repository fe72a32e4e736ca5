"""Evaluation files as arrays: one accuracy per method, benchmark, seed and problem, checked to be complete."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from limr.errors import LimrError
from limr.files.contracts import read_parquet
from limr.report.style import BASE, BASE_PROMPT


@dataclass(frozen=True)
class _Answers:
    """One evaluation file: the ids of its problems, sorted, and for each the mean accuracy over its samples."""

    path: Path
    problems: list[str]
    accuracies: np.ndarray


def evaluated_methods(configuration: Mapping[str, Any]) -> list[str]:
    """What answers the benchmarks, in the order of the tables' rows: the base model, with a prompt too, the methods.

    >>> evaluated_methods({"base_model": {"prefix": "Think. "}, "methods": {"lim": {}}})
    ['base', 'base_prompt', 'lim']
    """
    prompted = [BASE_PROMPT] if "prefix" in configuration.get("base_model", {}) else []
    return [BASE, *prompted, *configuration["methods"]]


def method_scored_by(score: str, configuration: Mapping[str, Any]) -> str | None:
    """The first method that uses ``score``: RAND and FULL may have other names in the configuration.

    Methods that score a part of the probe come last: LIM is the one that scores all of it, if there is one.
    """
    names = [name for name, method in configuration["methods"].items() if method["score"] == score]
    return next((name for name in names if not configuration["methods"][name].get("probe")), next(iter(names), None))


def as_graded(answers: pl.DataFrame) -> pl.Series:
    """The verdicts of the reward: only boxed answers count."""
    return answers["correct"]


def read_results(
    evaluations: Sequence[Path],
    methods: Sequence[str],
    seeds: Sequence[int],
    benchmarks: Mapping[str, Mapping[str, Any]],
    verdicts: Callable[[pl.DataFrame], pl.Series] = as_graded,
) -> dict[str, dict[str, np.ndarray]]:
    """``results[method][benchmark]``: accuracies [seeds, problems], each the mean over one problem's samples.

    ``benchmarks`` gives the number of ``samples`` of each benchmark. Seeds are in the order of ``seeds``, problems are
    sorted by id. ``verdicts`` says of each row of an evaluation whether it counts as correct.

    Raises LimrError with the file, or the method, seed and benchmark, when an evaluation is missing, occurs twice or is
    not configured. Also raises it when two files of a benchmark hold different problems, or when a problem does not
    have the configured number of samples.
    """
    expected = [(method, seed, name) for method in methods for seed in seeds for name in benchmarks]
    found: dict[tuple[str, int, str], _Answers] = {}
    for path in evaluations:
        key, answers = _read(path, benchmarks, verdicts)
        if key not in expected:
            raise LimrError(f"holds {_name(key)}, which is not part of this configuration", where=path)
        if key in found:
            raise LimrError(f"holds {_name(key)}, and so does {found[key].path}", where=path)
        found[key] = answers
    missing = [key for key in expected if key not in found]
    if missing:
        raise LimrError(
            f"there is no evaluation of {_name(missing[0])} ({len(missing):,} missing of {len(expected):,})",
            advice="Run the evaluation.",
        )
    for name in benchmarks:
        _refuse_other_problems([found[key] for key in expected if key[2] == name])
    return {
        method: {name: np.stack([found[method, seed, name].accuracies for seed in seeds]) for name in benchmarks}
        for method in methods
    }


def _read(
    path: Path, benchmarks: Mapping[str, Mapping[str, Any]], verdicts: Callable[[pl.DataFrame], pl.Series]
) -> tuple[tuple[str, int, str], _Answers]:
    frame = read_parquet(path, "evaluation")
    frame = frame.with_columns(correct=verdicts(frame))
    keys = frame.select("method", "seed", "benchmark").unique()
    if keys.height != 1:
        raise LimrError(where=path, found=f"{keys.height} evaluations", expected="one method, seed and benchmark")
    key = keys.row(0)
    problems = (
        frame.group_by("problem_id")
        .agg(samples=pl.len(), accuracy=pl.col("correct").cast(pl.Float64).mean())
        .sort("problem_id")
    )
    if key[2] in benchmarks:
        wanted = benchmarks[key[2]]["samples"]
        wrong = problems.filter(pl.col("samples") != wanted)
        if wrong.height:
            raise LimrError(
                where=(path, f"problem {wrong['problem_id'][0]}"),
                found=f"{wrong['samples'][0]} samples",
                expected=f"{wanted} ({wrong.height:,} such problems)",
                advice="Delete the file and run the evaluation again.",
            )
    return key, _Answers(path, problems["problem_id"].to_list(), problems["accuracy"].to_numpy())


def _refuse_other_problems(files: Sequence[_Answers]) -> None:
    first = files[0]
    for other in files[1:]:
        different = sorted(set(first.problems) ^ set(other.problems))
        if different:
            raise LimrError(
                f"its problems differ from those of {first.path} ({len(different):,} differ, such as {different[0]})",
                where=other.path,
                advice="Both files must come from the same benchmark. Delete the older one and run the evaluation"
                " again.",
            )


def _name(key: tuple[str, int, str]) -> str:
    return f"method {key[0]}, seed {key[1]}, benchmark {key[2]}"
