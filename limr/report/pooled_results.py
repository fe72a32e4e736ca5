"""Several finished results folders as one experiment: their Table 2 and outcomes, checked to be comparable.

A *world* is a results folder with its own problems, base model and seeds. The unit of all statistics is a training seed
in its world. Two methods of a unit share the world, so what a world adds to both cancels in their difference: a paired
difference needs no correction for worlds. If a world changes the difference itself, seeds of one world agree too much;
the pages show the mean of each world for that.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from limr.errors import LimrError, ProblemsError, counted, first_line, shown
from limr.files.strict_json import parse_json
from limr.report.outcomes import SHARES
from limr.report.results import evaluated_methods
from limr.report.training_runs import Cost

TABLE, OUTCOMES = "table2.json", "outcomes.csv"
LAST, SELECTED = "methods", "development_selected"  # sections of table2.json: which model of a run they are about
OWN = ("seeds", "data.seed", "base_model.seed")  # what worlds may differ in, besides the folder
_NOTHING = object()
_AGAIN = "Run snakemake for this folder again."


@dataclass(frozen=True)
class World:
    """One results folder: its ``table2.json``, and one row of ``outcomes`` per training run."""

    name: str
    table: Mapping[str, Any]
    outcomes: pl.DataFrame

    @property
    def title(self) -> str:
        return self.name.replace("_", " ")

    @property
    def configuration(self) -> Mapping[str, Any]:
        return self.table["configuration"]

    @property
    def seeds(self) -> Sequence[int]:
        return self.configuration["seeds"]


@dataclass(frozen=True)
class Pool:
    """The units of all worlds: seeds of the first world, then of the second, and so on.

    ``results[method][benchmark]``: accuracies [units, 1] after the last step, as the functions of Table 2 take them.
    ``outcomes[method]``: rows of outcomes.csv in the same order. ``world_of``: the index of each unit's world.
    ``selected``: as ``results``, with the checkpoint of each run that is best on the development set; empty if the
    tables have none. ``configuration``: what the worlds share; its ``seeds`` name the units.
    """

    worlds: Sequence[World]
    configuration: Mapping[str, Any]
    results: Mapping[str, Mapping[str, np.ndarray]]
    selected: Mapping[str, Mapping[str, np.ndarray]]
    outcomes: Mapping[str, Sequence[Mapping[str, Any]]]
    world_of: np.ndarray


def read_world(folder: Path) -> World:
    """The world in ``folder``, which holds ``table2.json`` and ``outcomes.csv``; its name is the folder's.

    Raises LimrError with the file that is missing or cannot be used.
    """
    table, outcomes = folder / TABLE, folder / OUTCOMES
    for file in (table, outcomes):
        if not file.is_file():
            raise LimrError("no such file", where=file, advice="Run snakemake for this folder first.")
    value = parse_json(table.read_bytes(), str(table), expected="Table 2 as JSON")
    if not isinstance(value, dict) or not {"configuration", "methods", "benchmarks", "versions"} <= set(value):
        raise LimrError(where=table, found="other JSON", expected="Table 2 as `snakemake` writes it")
    try:
        rows = pl.read_csv(outcomes, infer_schema_length=None)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise LimrError(f"cannot be read ({first_line(error)})", where=outcomes, expected="outcomes as CSV") from error
    wanted = {
        "method",
        "seed",
        "development_last",
        "development_best",
        "area",
        *(f"target_{100 * share:g}" for share in SHARES),
    }
    if missing := sorted(wanted - set(rows.columns)):
        raise LimrError(f"has no column {missing[0]}", where=outcomes, advice="Delete it and run snakemake again.")
    return World(folder.name, value, rows)


def pooled(worlds: Sequence[World]) -> Pool:
    """All ``worlds`` as one experiment.

    Raises ProblemsError with an error for each setting in which worlds differ, for each method, seed and benchmark that
    one of them lacks, and for a seed that two folders of the same world share.
    """
    if not worlds:
        raise LimrError(found="no results folder", expected="at least one")
    first = worlds[0]
    problems = [*_same_units(worlds), *(problem for world in worlds for problem in _differences(world, first))]
    has_selected = any(SELECTED in world.table for world in worlds)
    if not problems:
        problems = [problem for world in worlds for problem in _missing(world, has_selected)]
    if problems:
        raise ProblemsError("these results cannot be pooled", problems)
    configuration, runs = first.configuration, [_runs(world) for world in worlds]
    units = [(index, seed) for index, world in enumerate(worlds) for seed in world.seeds]

    def scores(methods: Iterable[str], section: str) -> dict[str, dict[str, np.ndarray]]:
        answers = [accuracies(world, section) for world in worlds]
        return {
            method: {
                name: np.array([[answers[index][method, seed][name]] for index, seed in units])
                for name in configuration["benchmarks"]
            }
            for method in methods
        }

    return Pool(
        worlds=worlds,
        configuration=dict(configuration) | {"seeds": [f"{worlds[index].name}, seed {seed}" for index, seed in units]},
        results=scores(evaluated_methods(configuration), LAST),
        selected=scores(configuration["methods"], SELECTED) if SELECTED in first.table else {},
        outcomes={method: [runs[index][method, seed] for index, seed in units] for method in configuration["methods"]},
        world_of=np.array([index for index, _ in units]),
    )


def accuracies(world: World, section: str = LAST) -> dict[tuple[str, int], Mapping[str, float]]:
    """(method, seed) -> benchmark -> accuracy, of the models in this ``section`` of ``table2.json``."""
    return {
        (row["method"], entry["seed"]): entry["benchmarks"]
        for row in world.table.get(section, [])
        for entry in row.get("by_seed", [])  # older tables have none
    }


def _runs(world: World) -> dict[tuple[str, int], Mapping[str, Any]]:
    """(method, seed) -> the row of outcomes.csv."""
    return {(row["method"], row["seed"]): row for row in world.outcomes.iter_rows(named=True)}


def _missing(world: World, has_selected: bool) -> Iterator[LimrError]:
    """An error for each method, seed and benchmark that is not in the files of ``world``."""
    yield from missing_in(world, evaluated_methods(world.configuration))
    if has_selected:
        yield from missing_in(world, world.configuration["methods"], SELECTED)
    runs = _runs(world)
    for method in world.configuration["methods"]:
        for seed in world.seeds:
            if (method, seed) not in runs:
                where = (world.name, OUTCOMES, f"method {method}", f"seed {seed}")
                yield LimrError("there is no row", where=where, advice=_AGAIN)


def missing_in(world: World, methods: Iterable[str], section: str = LAST) -> Iterator[LimrError]:
    """An error for each seed and benchmark for which ``section`` of ``table2.json`` has no accuracy of ``methods``."""
    answers = accuracies(world, section)
    for method in methods:
        for seed in world.seeds:
            for name in world.configuration["benchmarks"]:
                if answers.get((method, seed), {}).get(name) is None:
                    where = (world.name, TABLE, section, f"method {method}", f"seed {seed}")
                    yield LimrError(f"there is no accuracy on {name}", where=where, advice=_AGAIN)


def _same_units(worlds: Sequence[World]) -> Iterator[LimrError]:
    """An error for each seed that occurs twice with the same problems and base model: one run would count twice."""
    seen: dict[tuple[Any, Any, int], str] = {}
    for world in worlds:
        sections = [world.configuration.get(name, {}) for name in ("data", "base_model")]
        for seed in world.seeds:
            key = (*(section.get("seed") for section in sections), seed)
            if key in seen:
                yield LimrError(f"this is the same run as that of {seen[key]}", where=(world.name, f"seed {seed}"))
            seen.setdefault(key, world.name)


def _differences(world: World, first: World) -> Iterator[LimrError]:
    """An error for each setting that differs between two worlds, and may not."""
    for name, found, expected in unequal(world.configuration, first.configuration):
        if name not in OWN:
            yield LimrError(
                where=(world.name, name),
                found="nothing" if found is _NOTHING else shown(found),
                expected=f"{'nothing' if expected is _NOTHING else shown(expected)}, as in {first.name}",
            )


def unequal(one: Any, other: Any, above: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The dotted name of each value that differs, and both values. The order of keys does not count."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in dict.fromkeys([*one, *other]):
            yield from unequal(one.get(key, _NOTHING), other.get(key, _NOTHING), f"{above}.{key}" if above else key)
    elif one is _NOTHING or other is _NOTHING or one != other:
        yield above, one, other


def cost_of(run: Mapping[str, Any], share: float, with_probe: bool) -> Cost | None:
    """What the run of a row of outcomes.csv spent until ``share`` of FULL's gain; None if it did not get there."""
    suffix = f"to_{100 * share:g}{'_with_probe' if with_probe else ''}"
    rollouts, tokens = run[f"rollouts_{suffix}"], run[f"tokens_{suffix}"]
    return None if rollouts is None else Cost(int(rollouts), int(tokens))


def units_sentence(pool: Pool) -> str:
    """How many units there are, and where they come from."""
    numbers = ", ".join(f"{counted(len(world.seeds), 'seed')} of {world.title}" for world in pool.worlds)
    return f"{counted(len(pool.world_of), 'training seed')}: {numbers}"
