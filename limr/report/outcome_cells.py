"""The cells of the tables of outcomes: means over seeds, with t intervals if there are enough seeds."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from limr.report.bootstrap import Interval
from limr.report.outcomes import Cost, Outcome
from limr.report.seed_intervals import FEWEST_SEEDS, SeedIntervals
from limr.report.style import percent
from limr.report.training_runs import number_range

MEASURES: dict[str, Callable[[Outcome], float | None]] = {
    "Development, last": lambda run: run.curve.last,
    "Development, best": lambda run: run.curve.best,
    "Best - last": lambda run: run.curve.best - run.curve.last,
    "Area": lambda run: run.curve.area,
}


def accuracy_cell(values: Sequence[float | None], confidence: float, signed: bool = False) -> str | None:
    """The mean of one value per seed in percent, with its interval if there are enough seeds; None if one is None."""
    if not values or None in values:
        return None
    if len(values) >= FEWEST_SEEDS:
        return percent(SeedIntervals(confidence).of(np.array(values)), signed)
    return percent(Interval(float(np.mean(values)), 0, 0), signed).split(" ")[0]


def cost_cells(costs: Sequence[Cost | None], confidence: float) -> list[str | None]:
    """Rollouts and tokens of one run per seed: a mean if every seed has a cost, the range if some have none."""
    known = [cost for cost in costs if cost is not None]
    cells: list[str | None] = []
    for values in ([cost.rollouts for cost in known], [cost.tokens for cost in known]):
        if not known:
            cells.append(None)
        elif len(known) < len(costs):
            cells.append(number_range(values))
        elif len(known) < FEWEST_SEEDS:
            cells.append(f"{np.mean(values):,.0f}")
        else:
            cells.append(amount_cell(SeedIntervals(confidence).of(np.array(values))))
    return cells


def amount_cell(value: Interval, signed: bool = False) -> str:
    """A mean number of rollouts or tokens with its interval.

    >>> amount_cell(Interval(1024.0, 900.4, 1147.6))
    '1,024 [900, 1,148]'
    """
    point, low, high = (
        format(number, "+,.0f" if signed else ",.0f") for number in (value.point, value.low, value.high)
    )
    return f"{point} [{low}, {high}]"


def has_intervals(configuration: Mapping[str, Any]) -> bool:
    """Whether there are enough seeds for intervals."""
    return len(configuration["seeds"]) >= FEWEST_SEEDS


def over_seeds(configuration: Mapping[str, Any]) -> str:
    """What the numbers of a table are means of, and their intervals: the rest of a sentence."""
    seeds = len(configuration["seeds"])
    if has_intervals(configuration):
        return f", mean over {seeds} seeds. {intervals_sentence(configuration)[:-1]}"
    return f", mean over {seeds} seeds, too few for intervals" if seeds > 1 else ", one seed, so without intervals"


def intervals_sentence(configuration: Mapping[str, Any]) -> str:
    """What the brackets of a table hold."""
    confidence = 100 * configuration["report"]["confidence"]
    return f"In brackets: {confidence:g} % intervals of Student's t over the seeds."
