"""What a user decides by, for every training run: accuracy on the development set over training, and what it cost.

An evaluation on the development set counts the training steps before it: 0 is the base model. The miniature evaluates
before the step that its metrics name, OpenRLHF after it.

The cost of a run is its rollouts and their generated tokens. A target is a share of FULL's final gain over the base
model, at the same seed. A run reaches it at its first evaluation at or above it; nothing is interpolated. A method that
reads trajectories also pays for the probe, which is FULL's whole run, or for the part of it that it reads
(``probe_cost``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from limr.configuration.check import probe
from limr.configuration.probe_options import is_measured, probe_seed
from limr.errors import LimrError
from limr.evaluation.development import development_accuracies
from limr.report.probe_cost import probe_cost
from limr.report.training_runs import Cost, rollouts_by_step
from limr.selection.method import needs_trajectories

SHARES = (0.9, 0.95)  # of FULL's final gain
_TOLERANCE = 1e-9  # of an accuracy, for the rounding of a target


@dataclass(frozen=True)
class DevelopmentCurve:
    """The evaluations of one run: ``steps`` before each, ``accuracies``, and the ``costs`` until then."""

    steps: tuple[int, ...]
    accuracies: tuple[float, ...]
    costs: tuple[Cost, ...]
    whole_run: Cost

    @property
    def base(self) -> float | None:
        """The accuracy before training; None if there was no evaluation then."""
        return self.accuracies[0] if self.steps[0] == 0 else None

    @property
    def last(self) -> float:
        return self.accuracies[-1]

    @property
    def best(self) -> float:
        return max(self.accuracies)

    @property
    def best_step(self) -> int:
        """The steps before the first evaluation with the best accuracy."""
        return self.steps[self.accuracies.index(self.best)]

    @property
    def area(self) -> float | None:
        """The area under the curve by trapezoids, divided by its width: a mean accuracy. None for a single point.

        >>> free = Cost(0, 0)
        >>> DevelopmentCurve((0, 10, 30), (0.0, 0.5, 0.5), (free,) * 3, free).area
        0.4166666666666667
        """
        width = self.steps[-1] - self.steps[0]
        return float(np.trapezoid(self.accuracies, self.steps)) / width if width else None

    def reaches(self, level: float) -> int | None:
        """The index of the first evaluation at or above ``level``; None if there is none."""
        return next((index for index, value in enumerate(self.accuracies) if value >= level - _TOLERANCE), None)


@dataclass(frozen=True)
class Reached:
    """When a run reached a target. ``level`` is None if there is no target, ``step`` if the run did not reach it."""

    level: float | None
    step: int | None = None
    cost: Cost | None = None
    with_probe: Cost | None = None


@dataclass(frozen=True)
class Outcome:
    """One training run. ``targets``: share of FULL's gain -> when the run reached it."""

    method: str
    seed: int
    curve: DevelopmentCurve
    targets: dict[float, Reached]


def outcomes_of(
    runs: Sequence[Path], configuration: Mapping[str, Any], measured: Sequence[Path] = ()
) -> dict[str, list[Outcome]]:
    """The outcomes of each method, one per seed, from the folders ``.../METHOD/seedSEED`` of its training runs.

    ``measured``: the folders ``.../seedSEED`` of rollouts from the checkpoints of the probe, if a method scores them.

    Raises LimrError for a run of the configuration that is missing, and for metrics or rollouts that cannot be used.
    """
    methods, seeds, engine = configuration["methods"], configuration["seeds"], configuration["training"]["engine"]
    folders = {(run.parent.name, run.name): run for run in runs}
    curves: dict[tuple[str, int], DevelopmentCurve] = {}
    for method in methods:
        for seed in seeds:
            if (method, f"seed{seed}") not in folders:
                raise LimrError(f"there is no training run of method {method}, seed {seed}", advice="Run its training.")
            curves[method, seed] = read_curve(folders[method, f"seed{seed}"], engine)
    full = probe(methods)
    measurements = {folder.name: folder / "rollouts" for folder in measured}

    def paid(row: Mapping[str, Any], seed: int) -> Cost:
        """The cost of the curves that the method ``row`` scores to train ``seed``."""
        if full is None or not needs_trajectories(row["score"]):
            return Cost(0, 0)
        seed = probe_seed(row, seed, seeds)
        if not row.get("probe"):
            return curves[full, seed].whole_run
        measurement = measurements.get(f"seed{seed}") if is_measured(row) else None
        return probe_cost(row, folders[full, f"seed{seed}"] / "rollouts", measurement)

    return {
        method: [
            _outcome(method, seed, curves[method, seed], curves.get((full, seed)) if full else None, paid(row, seed))
            for seed in seeds
        ]
        for method, row in methods.items()
    }


def _outcome(method: str, seed: int, curve: DevelopmentCurve, full: DevelopmentCurve | None, paid: Cost) -> Outcome:
    return Outcome(method, seed, curve, {share: _reached(curve, full, share, paid) for share in SHARES})


def _reached(curve: DevelopmentCurve, full: DevelopmentCurve | None, share: float, paid: Cost) -> Reached:
    """When ``curve`` reached ``share`` of the gain of ``full``. ``paid``: the cost of its selection."""
    if full is None or full.base is None or full.last <= full.base:
        return Reached(None)
    level = full.base + share * (full.last - full.base)
    index = curve.reaches(level)
    if index is None:
        return Reached(level)
    cost = curve.costs[index]
    return Reached(level, curve.steps[index], cost, cost + paid)


def read_curve(run: Path, engine: str) -> DevelopmentCurve:
    """The evaluations in the metrics of the folder ``run``, with the rollouts until each of them.

    Raises LimrError if the metrics have no evaluation, or if the rollouts cannot be read.
    """
    accuracies = development_accuracies(run / "metrics.parquet", engine)
    if not accuracies:
        raise LimrError(
            where=(run / "metrics.parquet", "development_accuracy"),
            found="no evaluation",
            expected="at least one accuracy on the development set",
            advice="Set training.evaluation_interval to at most the number of steps.",
        )
    spent = rollouts_by_step(run / "rollouts")
    costs = tuple(_total(spent.filter(pl.col("step") < step)) for step in accuracies)
    return DevelopmentCurve(tuple(accuracies), tuple(accuracies.values()), costs, _total(spent))


def _total(spent: pl.DataFrame) -> Cost:
    return Cost(int(spent["rollouts"].sum()), int(spent["tokens"].sum()))
