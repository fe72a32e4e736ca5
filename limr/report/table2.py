"""Table 2: the accuracy of each method's models on the benchmarks, as Markdown, CSV and JSON."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from limr.files.atomic import whole_file, write_json, write_text
from limr.files.contracts import read_parquet
from limr.files.markdown import as_written, markdown_rows
from limr.grading.equivalence import LIMR
from limr.report.beside_paper import beside_paper
from limr.report.bootstrap import Bootstrap, Interval
from limr.report.caption import caption, digest, versions
from limr.report.contrasts import AVERAGE, Contrast, contrasts
from limr.report.development_selected import Selected, read_selected, selected_table
from limr.report.last_number import with_last_numbers
from limr.report.results import evaluated_methods, method_scored_by, read_results
from limr.report.seed_intervals import FEWEST_SEEDS, SeedIntervals
from limr.report.style import BASE, BASE_PROMPT, method_title, percent
from limr.report.training_runs import TrainingRun, number_range, read_runs

logger = logging.getLogger(__name__)

_DIGITS = 6  # decimals of the fractions in CSV and JSON: further decimals may depend on the number of threads


@dataclass(frozen=True)
class Row:
    """One method: its scores, and the gain of its average over the base model and over random selection."""

    method: str
    benchmarks: dict[str, Interval]
    average: Interval
    gain_over_base: Interval | None  # None for the base model itself
    gain_over_rand: Interval | None  # None for the base model and RAND, and if there is no RAND
    share_of_full_gain: Interval | None  # None for the base model and FULL, and if FULL's gain may be 0


def write_table2(
    evaluations: Sequence[Path],
    problems: Mapping[str, Path],
    prompts: Path,
    subsets: Mapping[str, Sequence[Path]],
    rollouts: Mapping[str, Sequence[Path]],
    configuration: Mapping[str, Any],
    configuration_files: Sequence[str],
    outputs: Mapping[str, Path],
    selected: Sequence[Path] = (),
) -> None:
    """Write Table 2 to ``outputs["markdown"]``, ``outputs["csv"]`` and ``outputs["json"]``.

    - ``evaluations``: the evaluation files of the base model and of every method, seed and benchmark.
    - ``problems``: benchmark -> the file with its problems; read only if the base model answers with a prompt too, or
      for ``selected``.
    - ``prompts``: the training set; the caption counts its gold answers that cannot be graded.
    - ``subsets`` and ``rollouts``: method -> its subset files, and its directories of rollout shards, one per seed.
    - ``configuration``: the whole checked configuration without ``results``, the folder, which does not affect the
      numbers. It is copied into the JSON, and its digest into the caption, with the names of ``configuration_files``.
    - ``selected``: the evaluation files of the checkpoints that are best on the development set, one per training run,
      if the configuration asks for them.

    The same input gives the same bytes.

    Raises LimrError as ``read_results`` and ``read_selected`` do.
    """
    methods, seeds, benchmarks = evaluated_methods(configuration), configuration["seeds"], configuration["benchmarks"]
    results = read_results(evaluations, methods, seeds, benchmarks)
    rows, unboxed = table_rows(results, configuration), []
    if BASE_PROMPT in methods:
        verdicts = with_last_numbers(problems, configuration.get("reward", {}).get("grader", LIMR))
        unboxed = table_rows(read_results(evaluations, methods, seeds, benchmarks, verdicts), configuration)
    compared = lim_against_others(results, configuration)
    runs = read_runs(subsets, rollouts)
    sizes = {name: accuracies.shape[1] for name, accuracies in results[BASE].items()}
    gradable = read_parquet(prompts, "prompts")["gradable"]
    best = _selected(selected, problems, configuration)
    titles = [as_written(benchmark["title"]) for benchmark in benchmarks.values()]
    intervals = _intervals(results[BASE], configuration)
    below = [
        *selected_table(best, results, intervals, titles, configuration["training"]["steps"] if best else 0),
        *beside_paper(rows, runs, configuration, sizes),
        caption(configuration, configuration_files, runs, sizes, gradable, has_zero_width([*rows, *unboxed])),
    ]
    write_text(outputs["markdown"], _markdown(rows, unboxed, compared, runs, benchmarks, below))
    with whole_file(outputs["csv"]) as temporary:
        tidy(rows, runs).write_csv(temporary)
    page = _json(rows, unboxed, compared, results, runs, configuration, configuration_files)
    write_json(outputs["json"], page | _selected_json(best, seeds, intervals))
    for row in rows:
        logger.info("%s: average %s %%", method_title(row.method), percent(row.average))


def table_rows(results: Mapping[str, Mapping[str, np.ndarray]], configuration: Mapping[str, Any]) -> list[Row]:
    """One row per method of ``results[method][benchmark]`` (accuracies [seeds, problems]), in the same order."""
    base = results[BASE]
    intervals = _intervals(base, configuration)
    rand, full = (method_scored_by(score, configuration) for score in ("rand", "full"))
    rows = []
    for method, scores in results.items():
        gain = minus(scores, base)
        rows.append(
            Row(
                method=method,
                benchmarks={name: intervals.benchmark(name, accuracies) for name, accuracies in scores.items()},
                average=intervals.average(scores),
                gain_over_base=None if method == BASE else intervals.average(gain),
                gain_over_rand=None
                if rand is None or method in (BASE, rand)
                else intervals.average(minus(scores, results[rand])),
                share_of_full_gain=None
                if full is None or method in (BASE, full)
                else intervals.ratio(gain, minus(results[full], base)),
            )
        )
    return rows


def _selected(
    paths: Sequence[Path], problems: Mapping[str, Path], configuration: Mapping[str, Any]
) -> dict[str, Selected]:
    """Method -> its checkpoints that are best on the development set; none if the configuration does not ask for it."""
    if not configuration["report"].get("development_selected"):
        return {}
    ids = {name: read_parquet(problems[name], "prompts")["prompt_id"].sort() for name in configuration["benchmarks"]}
    return read_selected(paths, list(configuration["methods"]), configuration["seeds"], ids)


def _selected_json(
    best: Mapping[str, Selected], seeds: Sequence[int], intervals: Bootstrap | SeedIntervals
) -> dict[str, Any]:
    rows = [
        rounded(
            {
                "method": method,
                "benchmarks": {name: asdict(intervals.benchmark(name, scores)) for name, scores in row.scores.items()},
                "average": asdict(intervals.average(row.scores)),
                "by_seed": [
                    {"seed": seed, "step": step} | of_seed(row.scores, index)
                    for index, (seed, step) in enumerate(zip(seeds, row.steps, strict=True))
                ],
            }
        )
        for method, row in best.items()
    ]
    return {"development_selected": rows} if rows else {}


def lim_against_others(
    results: Mapping[str, Mapping[str, np.ndarray]], configuration: Mapping[str, Any]
) -> list[Contrast]:
    """The differences between LIM and every other method; none if no method uses LIM or there are too few seeds."""
    lim = method_scored_by("lim", configuration)
    if lim is None or len(configuration["seeds"]) < FEWEST_SEEDS:
        return []
    pairs = [(lim, other) for other in configuration["methods"] if other != lim]
    return contrasts(results, pairs, configuration["report"]["confidence"])


def _intervals(base: Mapping[str, np.ndarray], configuration: Mapping[str, Any]) -> Bootstrap | SeedIntervals:
    """Intervals over seeds if there are enough of them, otherwise over problems and seeds."""
    seeds, report = len(configuration["seeds"]), configuration["report"]
    if seeds >= FEWEST_SEEDS:
        return SeedIntervals(report["confidence"])
    problems = {name: accuracies.shape[1] for name, accuracies in base.items()}
    return Bootstrap(problems, seeds, report["bootstrap_resamples"], report["confidence"], random_seed=0)


def minus(left: Mapping[str, np.ndarray], right: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Benchmark -> the differences of two methods, paired by seed and problem."""
    return {name: left[name] - right[name] for name in left}


def _markdown(
    rows: Sequence[Row],
    unboxed: Sequence[Row],
    compared: Sequence[Contrast],
    runs: Mapping[str, Sequence[TrainingRun]],
    benchmarks: Mapping[str, Mapping[str, Any]],
    below: Sequence[str],
) -> str:
    titles = [as_written(benchmark["title"]) for benchmark in benchmarks.values()]
    scores, gains = [], []
    for row in rows:
        title = method_title(row.method)
        questions = number_range(run.questions for run in runs[row.method]) if row.method in runs else None
        scores.append([title, questions, *map(percent, row.benchmarks.values()), percent(row.average)])
        if row.method != BASE:
            over = [percent(gain, signed=True) if gain else None for gain in (row.gain_over_base, row.gain_over_rand)]
            gains.append([title, *over, percent(row.share_of_full_gain) if row.share_of_full_gain else None])
    gain_columns = ["Method", "Gain over base", "Gain over RAND", "Share of FULL's gain kept (%)"]
    parts = [
        "# Table 2",
        markdown_rows(["Method", "#Questions", *titles, "Average"], scores, aligned=True),
        f"What training{', or a prompt alone,' if unboxed else ''} adds to the average, in points:",
        markdown_rows(gain_columns, gains, aligned=True),
        *_last_number_table(unboxed, titles),
        *contrast_table(compared, dict(zip(benchmarks, titles, strict=True)) | {AVERAGE: "Average"}),
        *below,
    ]
    return "\n\n".join(parts)


def _last_number_table(unboxed: Sequence[Row], titles: Sequence[str]) -> list[str]:
    if not unboxed:
        return []
    rows = [[method_title(row.method), *map(percent, row.benchmarks.values()), percent(row.average)] for row in unboxed]
    title = "The same answers, if the last number counts where a response has no box:"
    return [title, markdown_rows(["Method", *titles, "Average"], rows, aligned=True)]


def contrast_table(compared: Sequence[Contrast], titles: Mapping[str, str], others: str = "other method") -> list[str]:
    """Markdown paragraphs, one line per contrast; empty without any. ``titles`` maps a benchmark to its column."""
    if not compared:
        return []
    rows = [
        [
            f"{method_title(row.first)} - {method_title(row.second)}",
            titles[row.benchmark],
            percent(row.difference, signed=True),
            f"{row.p_value:.3f}",
            f"{row.p_holm:.3f}",
        ]
        for row in compared
    ]
    header = ["Methods", "Benchmark", "Difference", "p", "p (Holm)"]
    title = f"{method_title(compared[0].first)} minus each {others}, in points:"
    return [title, markdown_rows(header, rows, aligned=True)]


def has_zero_width(rows: Sequence[Row]) -> bool:
    """Whether an interval of a benchmark has no width."""
    return any(score.low == score.high for row in rows for score in row.benchmarks.values())


def tidy(rows: Sequence[Row], runs: Mapping[str, Sequence[TrainingRun]]) -> pl.DataFrame:
    """One row per method and benchmark, and one for the average; accuracies are fractions.

    ``questions`` is a mean over seeds, and empty for the base model.
    """
    return pl.DataFrame(
        [
            {
                "method": row.method,
                "questions": _mean_questions(runs.get(row.method)),
                "benchmark": name,
                "accuracy": score.point,
                "low": score.low,
                "high": score.high,
            }
            for row in rows
            for name, score in [*row.benchmarks.items(), (AVERAGE, row.average)]
        ],
        schema_overrides={"questions": pl.Float64},
    ).with_columns(pl.col("accuracy", "low", "high").round(_DIGITS))


def _mean_questions(runs: Sequence[TrainingRun] | None) -> float | None:
    return None if runs is None else sum(run.questions for run in runs) / len(runs)


def _json(
    rows: Sequence[Row],
    unboxed: Sequence[Row],
    compared: Sequence[Contrast],
    results: Mapping[str, Mapping[str, np.ndarray]],
    runs: Mapping[str, Sequence[TrainingRun]],
    configuration: Mapping[str, Any],
    configuration_files: Sequence[str],
) -> dict[str, Any]:
    """The table with its configuration. ``by_seed`` of a method has the accuracies that its row averages.

    ``last_number``, if the base model answers with a prompt, has the table that counts answers without a box too.
    """
    seeds = configuration["seeds"]
    return {
        "configuration_files": list(configuration_files),
        "configuration_digest": digest(configuration),
        "configuration": dict(configuration),
        "versions": versions(),
        "benchmarks": {
            name: dict(benchmark) | {"problems": results[BASE][name].shape[1]}
            for name, benchmark in configuration["benchmarks"].items()
        },
        "methods": [
            rounded(asdict(row))
            | {
                "by_seed": [
                    {"seed": seed} | rounded(of_seed(results[row.method], index)) for index, seed in enumerate(seeds)
                ],
                "runs": [
                    {"seed": seed} | asdict(run) for seed, run in zip(seeds, runs.get(row.method, []), strict=False)
                ],
            }
            for row in rows
        ],
        "contrasts": [rounded(asdict(row)) for row in compared],
        **({"last_number": [rounded(asdict(row)) for row in unboxed]} if unboxed else {}),
    }


def of_seed(results: Mapping[str, np.ndarray], index: int) -> dict[str, Any]:
    """The accuracy of the seed at ``index`` on each benchmark, and their unweighted mean."""
    benchmarks = {name: float(accuracies[index].mean()) for name, accuracies in results.items()}
    return {"benchmarks": benchmarks, "average": sum(benchmarks.values()) / len(benchmarks)}


def rounded(value: Any) -> Any:
    """``value`` with all its floating-point numbers rounded, for JSON: further decimals depend on the machine."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return round(value, _DIGITS) if isinstance(value, float) else value
