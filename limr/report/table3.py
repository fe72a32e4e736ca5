"""Table 3: supervised fine-tuning (SFT) on few worked solutions beside reinforcement learning (RL)."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from limr.files.atomic import whole_file, write_json, write_text
from limr.files.contracts import read_parquet
from limr.files.markdown import as_written, markdown_rows
from limr.report.beside_paper import same_experiment
from limr.report.bootstrap import Interval
from limr.report.caption import caption, digest, versions
from limr.report.contrasts import AVERAGE, Contrast, contrasts
from limr.report.published_results import published
from limr.report.results import method_scored_by, read_results
from limr.report.seed_intervals import FEWEST_SEEDS
from limr.report.style import BASE, BASE_PROMPT, method_title, percent
from limr.report.table2 import Row, contrast_table, has_zero_width, of_seed, rounded, table_rows, tidy
from limr.report.training_runs import TrainingRun, number_range, read_runs

logger = logging.getLogger(__name__)

_SOURCES = {
    "miniature": "the miniature's own worked solutions of fresh problems ({levels}): right, with all steps, "
    "boxed; none of these problems is in another set",
    "limo": "the solutions of LIMO (GAIR/LIMO)",
    "s1k": "the solutions of s1 (simplescaling/s1K): chain of thought, then answer",
}


def write_table3(
    evaluations: Sequence[Path],
    prompts: Path,
    subsets: Mapping[str, Sequence[Path]],
    rollouts: Mapping[str, Sequence[Path]],
    solutions: Mapping[str, Sequence[Path]],
    sweeps: Mapping[str, Sequence[Path]],
    configuration: Mapping[str, Any],
    configuration_files: Sequence[str],
    outputs: Mapping[str, Path],
) -> None:
    """Write Table 3 to ``outputs["markdown"]``, ``outputs["csv"]`` and ``outputs["json"]``.

    - ``evaluations``: the evaluation files of the base model, the supervised rows and the methods, by seed and
      benchmark.
    - ``subsets`` and ``rollouts``: method -> its files, one per seed; they name the methods that the table compares.
    - ``solutions`` and ``sweeps``: supervised row -> its files of contracts solutions and sweep, one per seed.
    - the other arguments: as for ``write_table2``.

    Raises LimrError as ``read_results`` does.
    """
    seeds, benchmarks = configuration["seeds"], configuration["benchmarks"]
    supervised = list(configuration["supervised"])
    prompted = [BASE_PROMPT] if "prefix" in configuration.get("base_model", {}) else []
    shown = [BASE, *prompted, *supervised, *subsets]
    results = read_results(evaluations, shown, seeds, benchmarks)
    methods = {name: row for name, row in configuration["methods"].items() if name in subsets}
    rows = table_rows(results, {**configuration, "methods": methods})
    trained = read_runs(subsets, rollouts)
    questions = {name: [read_parquet(file, "solutions").height for file in files] for name, files in solutions.items()}
    questions |= {name: [run.questions for run in runs] for name, runs in trained.items()}
    rates = {name: [read_parquet(file, "sweep") for file in files] for name, files in sweeps.items()}
    compared = _against_supervised(results, supervised, methods, configuration)
    sizes = {name: accuracies.shape[1] for name, accuracies in results[BASE].items()}
    gradable = read_parquet(prompts, "prompts")["gradable"]
    titles = {name: as_written(benchmark["title"]) for name, benchmark in benchmarks.items()}
    page = [
        "# Table 3",
        _main_table(rows, questions, supervised, list(titles.values())),
        *contrast_table(compared, titles | {AVERAGE: "Average"}, "supervised row"),
        "The learning rates that were tried, with the accuracy on the development set in percent:",
        _sweep_table(rates, seeds),
        *(_described(name, row) for name, row in configuration["supervised"].items()),
        _explained(seeds),
        *_published(configuration, sizes),
        caption(configuration, configuration_files, trained, sizes, gradable, has_zero_width(rows)),
    ]
    write_text(outputs["markdown"], "\n\n".join(page))
    with whole_file(outputs["csv"]) as temporary:
        counted = {name: [TrainingRun(number, 0, 0) for number in numbers] for name, numbers in questions.items()}
        tidy(rows, counted).write_csv(temporary)
    numbers = {
        "rows": [_json_row(row, results, questions, supervised, seeds) for row in rows],
        "sweeps": _json_sweeps(rates, seeds),
        "contrasts": [rounded(asdict(row)) for row in compared],
    }
    run = {"configuration_files": list(configuration_files), "configuration_digest": digest(configuration)}
    write_json(outputs["json"], run | {"versions": versions()} | numbers)
    for row in rows:
        logger.info("%s: average %s %%", method_title(row.method), percent(row.average))


def _against_supervised(
    results: Mapping[str, Mapping[str, np.ndarray]],
    supervised: Sequence[str],
    methods: Mapping[str, Any],
    configuration: Mapping[str, Any],
) -> list[Contrast]:
    """LIM minus each supervised row; none if no method uses LIM or there are too few seeds."""
    lim = method_scored_by("lim", {"methods": methods})
    if lim is None or len(configuration["seeds"]) < FEWEST_SEEDS:
        return []
    return contrasts(results, [(lim, row) for row in supervised], configuration["report"]["confidence"])


def _main_table(
    rows: Sequence[Row], questions: Mapping[str, Sequence[int]], supervised: Sequence[str], titles: Sequence[str]
) -> str:
    lines = []
    for row in rows:
        number = number_range(questions[row.method]) if row.method in questions else None
        gain = percent(row.gain_over_base, signed=True) if row.gain_over_base else None
        scores = [*map(percent, row.benchmarks.values()), percent(row.average)]
        lines.append([method_title(row.method), _training(row.method, questions, supervised), number, *scores, gain])
    header = ["Method", "Training", "#Questions", *titles, "Average", "Gain over base"]
    return markdown_rows(header, lines, aligned=True)


def _training(method: str, questions: Mapping[str, Sequence[int]], supervised: Sequence[str]) -> str | None:
    if method in supervised:
        return "SFT"
    return "RL" if method in questions else None


def _sweep_table(rates: Mapping[str, Sequence[pl.DataFrame]], seeds: Sequence[int]) -> str:
    """One line per row and learning rate: the mean over the seeds and the range, and the seeds that chose it."""
    lines = []
    for name, tables in rates.items():
        for rate in tables[0]["learning_rate"]:
            rows = [table.row(by_predicate=pl.col("learning_rate") == rate, named=True) for table in tables]
            accuracies = [row["development_accuracy"] for row in rows]
            chosen = [str(seed) for seed, row in zip(seeds, rows, strict=True) if row["chosen"]]
            spread = Interval(sum(accuracies) / len(accuracies), min(accuracies), max(accuracies))
            accuracy = percent(spread) if len(rows) > 1 else f"{100 * spread.point:.1f}"
            length = sum(row["response_tokens"] for row in rows) / len(rows)
            lines.append([method_title(name), f"{rate:g}", accuracy, f"{length:.1f}", ", ".join(chosen) or None])
    header = ["Method", "Learning rate", "Development set", "Response tokens", "Chosen by the seeds"]
    return markdown_rows(header, lines, aligned=True)


def _described(name: str, row: Mapping[str, Any]) -> str:
    """What a supervised row was trained on, and how."""
    solutions = row["solutions"]
    levels = solutions.get("levels", [])
    shown = f"level{'s' if len(levels) > 1 else ''} {', '.join(map(str, levels))}"
    what = _SOURCES[solutions["source"]].format(levels=shown)
    return (
        f"{method_title(name)}: supervised fine-tuning of the base model on {what}. {row['epochs']:,} "
        f"epochs, {row['batch_size']:,} solutions an update; the model after the last epoch."
    )


def _explained(seeds: Sequence[int]) -> str:
    several = "; in brackets, the lowest and the highest of the seeds" if len(seeds) > 1 else ""
    return (
        "The learning rate of a supervised row is the one that is best on the development set (greedy answers"
        f"{several}), chosen for each seed alone; of equally good rates, the lowest. The benchmarks had no part in it. "
        "*SFT* reads worked solutions by a stronger solver; *RL* reads the final answers only, and generates its own "
        "solutions: a question costs RL more computation, and gives SFT more information. The steps and rollouts below "
        "are those of RL."
    )


def _published(configuration: Mapping[str, Any], sizes: Mapping[str, int]) -> list[str]:
    """What the paper says about the same data; empty unless this is the paper's experiment."""
    sources = {row["solutions"]["source"] for row in configuration["supervised"].values()}
    known = {source: row for source, row in published()["supervised"].items() if source in sources}
    if not known or not same_experiment(configuration, sizes):
        return []
    differences = [f"{row['title']} by {row['math500_below_lim']:.1f} %" for row in known.values()]
    return [
        f"The abstract of {published()['citation']}, says that LIMR outperforms {' and '.join(differences)} on "
        "MATH500. These numbers are the paper's, of its own runs and grader."
    ]


def _json_row(
    row: Row,
    results: Mapping[str, Mapping[str, np.ndarray]],
    questions: Mapping[str, Sequence[int]],
    supervised: Sequence[str],
    seeds: Sequence[int],
) -> dict[str, Any]:
    by_seed = [
        {"seed": seed}
        | ({"questions": questions[row.method][index]} if row.method in questions else {})
        | rounded(of_seed(results[row.method], index))
        for index, seed in enumerate(seeds)
    ]
    training = _training(row.method, questions, supervised)
    return rounded(asdict(row)) | {"training": training, "by_seed": by_seed}


def _json_sweeps(rates: Mapping[str, Sequence[pl.DataFrame]], seeds: Sequence[int]) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [{"seed": seed, "rates": rounded(table.to_dicts())} for seed, table in zip(seeds, tables, strict=True)]
        for name, tables in rates.items()
    }
