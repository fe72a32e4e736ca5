"""The page of a study (config/evidence/plan.yaml): what changes with one quantity, as Markdown, figure and CSV."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from limr.configuration.evidence_plan import Study
from limr.errors import LimrError
from limr.files.atomic import write_text
from limr.files.contracts import read_parquet
from limr.files.markdown import as_written, markdown_rows, percentage
from limr.report.contrasts import AVERAGE, holm
from limr.report.outcome_cells import accuracy_cell
from limr.report.seed_intervals import FEWEST_SEEDS
from limr.report.selection_overlap import agreement, means
from limr.report.study_figure import write_study_figure
from limr.report.study_results import PointResults, differing_settings, read_study
from limr.report.style import method_title, percent


def write_study(
    name: str, study: Study, folders: Mapping[str, Path], results: Mapping[str, Path], outputs: Mapping[str, Path]
) -> None:
    """Write the study to ``outputs``: markdown, csv, svg and png. The same files give the same bytes.

    ``folders``: run -> the folder with its ``table2.json`` and ``outcomes.csv``. ``results``: run -> its results
    folder, from which only ``overlap`` reads the scores. ``name`` is that of the figure's file.

    Raises LimrError as ``read_study`` does, and for missing scores.
    """
    points = read_study(study, folders)
    confidence = points[0].world.configuration["report"]["confidence"]
    parts = [
        f"# {as_written(study.title)}",
        f"What changes: {as_written(study.quantity)}. Accuracy after the last step, averaged over the benchmarks, in "
        f"percent. In brackets: {100 * confidence:g} % intervals of Student's t over the seeds, from {FEWEST_SEEDS} "
        "seeds on.",
        f"![Accuracy and differences; small dots are training seeds]({name}.svg)",
        _accuracies(study, points, confidence),
        *_differences(study, points, confidence),
        *(_overlaps(study, study.overlap, points, results) if study.overlap else []),
        *_runs(points),
    ]
    write_text(outputs["markdown"], "\n\n".join(parts) + "\n")
    write_study_figure(study, points, confidence, _numbers(points), outputs)


def _at(point: PointResults) -> str:
    value = point.point.at
    return as_written(value) if isinstance(value, str) else f"{value:g}"


def _accuracies(study: Study, points: Sequence[PointResults], confidence: float) -> str:
    rows = []
    for point in points:
        cells = [accuracy_cell(point.averages.get(line, np.empty(0)).tolist(), confidence) for line in study.lines]
        rows.append([_at(point), *cells, ", ".join(map(str, point.world.seeds))])
    return markdown_rows(["At", *map(method_title, study.lines), "Seeds"], rows, aligned=True)


def _differences(study: Study, points: Sequence[PointResults], confidence: float) -> list[str]:
    """The first line minus each other line at each point, with p-values corrected for all of them."""
    found = [(point, row) for point in points for row in point.differences(study.lines[0], confidence)]
    if not found:
        return [f"Differences take at least {FEWEST_SEEDS} seeds, and two lines at a point."]
    corrected = holm([row.p_value for _, row in found])
    rows = [
        [
            _at(point),
            f"{method_title(row.first)} - {method_title(row.second)}",
            percent(row.difference, signed=True),
            f"{row.p_value:.3f}",
            f"{p_holm:.3f}",
        ]
        for (point, row), p_holm in zip(found, corrected, strict=True)
    ]
    return [
        "Differences, in points:",
        markdown_rows(["At", "Lines", "Difference", "p", "p (Holm)"], rows, aligned=True),
        "Paired by seed. *p*: two-sided paired t test. *p (Holm)*: corrected for all rows of this table.",
    ]


def _overlaps(study: Study, other: str, points: Sequence[PointResults], results: Mapping[str, Path]) -> list[str]:
    """The overlap of the first line's selection with that of the method ``other``, mean over the seeds."""
    first, rows = study.lines[0], []
    for point in (point for point in points if first in point.results):
        method = (point.point.methods or {}).get(first, first)
        files = [
            [results[point.point.run] / f"scores/{name}/seed{seed}.parquet" for name in (method, other)]
            for seed in point.world.seeds
        ]
        for file in (file for pair in files for file in pair):
            if not file.is_file():
                raise LimrError("no such file", where=file, advice="Run snakemake for this folder again.")
        mean = means([agreement(*(read_parquet(file, "scores") for file in pair)) for pair in files])
        rows.append([_at(point), percentage(mean.overlap), percentage(mean.chance)])
    return [
        f"Overlap of the selection of {method_title(first)} at each point with that of {method_title(other)}:",
        markdown_rows(["At", "Overlap", "By chance"], rows, aligned=True),
        "Mean over the seeds. *Overlap*: the share of one selection that the other contains.",
    ]


def _runs(points: Sequence[PointResults]) -> list[str]:
    worlds = {point.world.name: point.world for point in points}
    digests = ", ".join(f"{as_written(name)} `{world.table['configuration_digest']}`" for name, world in worlds.items())
    lines = [f"Runs, and the digests of their configurations: {digests}."]
    if names := differing_settings(points):
        lines.append(f"Settings that differ between the runs: {', '.join(f'`{name}`' for name in names)}.")
    if len({tuple(world.seeds) for world in worlds.values()}) > 1:
        lines.append("The runs have different seeds, so two points differ by their seeds too.")
    return [" ".join(lines)]


def _numbers(points: Sequence[PointResults]) -> pl.DataFrame:
    """One row per point, line, seed and benchmark, and one for the average; accuracies are fractions."""
    rows = []
    for point in points:
        for line, scores in point.results.items():
            columns = {name: values[:, 0] for name, values in scores.items()} | {AVERAGE: point.averages[line]}
            for index, seed in enumerate(point.world.seeds):
                rows += [
                    {"at": str(point.point.at), "run": point.point.run, "line": line, "seed": seed, "benchmark": name,
                     "accuracy": values[index]}
                    for name, values in columns.items()
                ]  # fmt: skip
    return pl.DataFrame(rows)
