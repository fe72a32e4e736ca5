"""The section of Table 2 that shows, beside the last checkpoint, the one that is best on the development set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from limr.errors import LimrError, counted
from limr.files.contracts import read_parquet
from limr.files.markdown import markdown_rows
from limr.report.bootstrap import Bootstrap
from limr.report.seed_intervals import SeedIntervals
from limr.report.style import method_title, percent
from limr.report.training_runs import number_range

_AGAIN = "Delete the file, and give the same `snakemake` command again."


@dataclass(frozen=True)
class Selected:
    """One method: ``steps``, those of the selected checkpoints, one per seed, and ``scores``.

    ``scores``: benchmark -> accuracies [seeds, problems], as ``read_results`` has them.
    """

    steps: list[int]
    scores: dict[str, np.ndarray]


def read_selected(
    paths: Sequence[Path], methods: Sequence[str], seeds: Sequence[int], evaluations: Mapping[str, Sequence[str]]
) -> dict[str, Selected]:
    """Method -> its selected checkpoints, from one file (contract evaluation_steps) per method and seed.

    ``evaluations``: benchmark -> the ids of its problems, sorted.

    Raises LimrError with the file, or the method, seed, step and benchmark, if an evaluation is missing, occurs twice,
    or is not about these problems.
    """
    found: dict[tuple[str, int], tuple[Path, pl.DataFrame]] = {}
    for path in paths:
        rows = read_parquet(path, "evaluation_steps")
        keys = rows.select("method", "seed", "step").unique().sort(pl.all()).rows()
        known = len(keys) == 1 and keys[0][0] in methods and keys[0][1] in seeds
        if not known or keys[0][:2] in found:
            names = "; ".join(map(_name, keys)) or "no rows"
            raise LimrError(where=path, found=names, expected="one checkpoint of a run, in one file", advice=_AGAIN)
        found[keys[0][:2]] = path, rows
    expected = [(method, seed) for method in methods for seed in seeds]
    if missing := [key for key in expected if key not in found]:
        raise LimrError(
            f"the checkpoint that the development set selects was not evaluated for {_name(missing[0])}"
            f" ({len(missing):,} missing of {len(expected):,})",
            advice="Run the evaluation.",
        )
    return {
        method: Selected(
            [found[method, seed][1]["step"][0] for seed in seeds],
            {
                name: np.stack([_accuracies(*found[method, seed], name, problems) for seed in seeds])
                for name, problems in evaluations.items()
            },
        )
        for method in methods
    }


def _accuracies(path: Path, rows: pl.DataFrame, benchmark: str, problems: Sequence[str]) -> np.ndarray:
    of_benchmark = rows.filter(pl.col("benchmark") == benchmark).sort("problem_id")
    have = of_benchmark["problem_id"].to_list()
    if have != list(problems):
        missing = len(set(problems) - set(have))
        raise LimrError(
            f"the evaluation of {_name(rows.select('method', 'seed', 'step').row(0))} is not complete",
            where=(path, f"benchmark {benchmark}"),
            found=f"{counted(len(have), 'problem')} ({missing:,} missing)",
            expected=f"the {len(problems):,} that the last checkpoint answered",
            advice=_AGAIN,
        )
    return of_benchmark["accuracy"].to_numpy()


def selected_table(
    selected: Mapping[str, Selected],
    results: Mapping[str, Mapping[str, np.ndarray]],
    intervals: Bootstrap | SeedIntervals,
    titles: Sequence[str],
    last: int,
) -> list[str]:
    """Markdown paragraphs: two lines per method, the selected checkpoint and the ``last`` one; none without methods.

    ``results``: the last checkpoints, as ``read_results`` has them.
    """
    rows = []
    for method, chosen in selected.items():
        difference = {name: values - results[method][name] for name, values in chosen.scores.items()}
        gain = percent(intervals.average(difference), signed=True)
        for words, steps, scores, minus_last in (
            ("best on development", number_range(chosen.steps), chosen.scores, gain),
            ("last", str(last), results[method], None),
        ):
            cells = [percent(intervals.benchmark(name, values)) for name, values in scores.items()]
            average = percent(intervals.average(scores))
            rows.append([f"{method_title(method)}, {words}", steps, *cells, average, minus_last])
    if not rows:
        return []
    return [
        "The checkpoint of each run that is best on the development set, beside the last one:",
        markdown_rows(["Checkpoint", "Step", *titles, "Average", "Minus last"], rows, aligned=True),
        "Chosen by greedy accuracy on the development set alone, among all checkpoints of the run; of several that are"
        " best, the first. *Step*: training steps before it; with several seeds, their range. *Minus last*: average of"
        " the chosen checkpoint minus that of the last one, paired by seed and problem, in points.",
    ]


def _name(key: tuple[object, ...]) -> str:
    return ", ".join(f"{word} {value}" for word, value in zip(("method", "seed", "step"), key, strict=False))
