"""The results of a study: one accuracy per point, line, seed and benchmark, from finished results folders."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from limr.configuration.evidence_plan import Point, Study
from limr.errors import LimrError, ProblemsError, suggest
from limr.report.contrasts import AVERAGE, Contrast, contrasts
from limr.report.pooled_results import World, accuracies, missing_in, read_world, unequal
from limr.report.seed_intervals import FEWEST_SEEDS, seed_averages

_NOT_COMPARED = ("methods", "seeds")


@dataclass(frozen=True)
class PointResults:
    """``results[line][benchmark]``: accuracies [seeds, 1] of the line's method at this point."""

    point: Point
    world: World
    results: Mapping[str, Mapping[str, np.ndarray]]

    @cached_property
    def averages(self) -> dict[str, np.ndarray]:
        """Line -> the average over the benchmarks of each seed."""
        return {line: seed_averages(scores) for line, scores in self.results.items()}

    def differences(self, first: str, confidence: float) -> list[Contrast]:
        """The average of the line ``first`` minus that of each other line; none with too few seeds."""
        others = [line for line in self.results if line != first]
        if first not in self.results or len(self.world.seeds) < FEWEST_SEEDS:
            return []
        found = contrasts(self.results, [(first, other) for other in others], confidence)
        return [row for row in found if row.benchmark == AVERAGE]


def read_study(study: Study, folders: Mapping[str, Path]) -> list[PointResults]:
    """The results at each point of ``study``; ``folders``: run -> the folder with its table2.json and outcomes.csv.

    Raises LimrError for a folder that lacks a file, a method, a seed or a benchmark, and ProblemsError if the points
    have other benchmarks.
    """
    worlds = {run: read_world(folders[run]) for run in dict.fromkeys(point.run for point in study.points)}
    points = [_read(study, point, worlds[point.run]) for point in study.points]
    if problems := list(_other_benchmarks(points)):
        raise ProblemsError("these results cannot be compared", problems)
    return points


def _read(study: Study, point: Point, world: World) -> PointResults:
    methods = point.methods or {line: line for line in study.lines}
    known = [row["method"] for row in world.table["methods"]]
    for method in methods.values():
        if method not in known:
            raise LimrError(f"there is no method {method}", where=world.name, advice=suggest(method, known))
    if problems := list(missing_in(world, methods.values())):
        raise ProblemsError("these results are not complete", problems)
    answers, benchmarks = accuracies(world), world.configuration["benchmarks"]

    def scores(method: str) -> dict[str, np.ndarray]:
        return {name: np.array([[answers[method, seed][name]] for seed in world.seeds]) for name in benchmarks}

    return PointResults(point, world, {line: scores(methods[line]) for line in study.lines if line in methods})


def _other_benchmarks(points: Sequence[PointResults]) -> Iterator[LimrError]:
    """An error for each setting of the benchmarks in which a point differs from the first one."""
    first = points[0].world
    for world in {point.world.name: point.world for point in points}.values():
        for name, *_ in unequal(world.table["benchmarks"], first.table["benchmarks"], "benchmarks"):
            yield LimrError(f"differs from that of {first.name}", where=(world.name, name))


def differing_settings(points: Sequence[PointResults]) -> list[str]:
    """The dotted names of the settings in which the runs of the points differ, besides methods and seeds."""
    first = points[0].world.configuration
    names = [name for point in points for name, *_ in unequal(point.world.configuration, first)]
    return [name for name in dict.fromkeys(names) if name.partition(".")[0] not in _NOT_COMPARED]
