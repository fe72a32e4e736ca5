"""The sections of the evidence about training: development accuracy, and the cost of reaching FULL's gain."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from limr.files.markdown import markdown_rows, percentage
from limr.report.outcome_cells import accuracy_cell, amount_cell, cost_cells
from limr.report.outcomes import SHARES
from limr.report.pooled_results import Pool, cost_of
from limr.report.probe_cost import explained
from limr.report.seed_intervals import SeedIntervals
from limr.report.style import method_title
from limr.selection.method import needs_trajectories

_MEASURES = {"Last": "development_last", "Best": "development_best", "Area": "area"}  # title -> column of outcomes.csv
_PROBE = {False: "", True: ", with the probe"}


def development(pool: Pool) -> list[str]:
    """Markdown paragraphs: the development accuracy of each method's runs."""
    confidence, rows = pool.configuration["report"]["confidence"], []
    for method, runs in pool.outcomes.items():
        cells = [accuracy_cell([run[column] for run in runs], confidence) for column in _MEASURES.values()]
        rows.append([method_title(method), *cells])
    return [
        markdown_rows(["Method", *_MEASURES], rows, aligned=True),
        "Greedy accuracy on the development set during training, in percent. *Best*: of all evaluations of a run, so "
        "it is too high, because the best of many noisy evaluations is partly luck. *Area*: under the curve over the "
        "training steps, divided by its width: a method that learns earlier has a larger area.",
    ]


def costs(pool: Pool) -> list[str]:
    """Markdown paragraphs: rollouts and tokens until FULL's gain is nearly reached."""
    confidence, parts = pool.configuration["report"]["confidence"], []
    header = ["Method", "Reached", "Rollouts", "Tokens", "Rollouts with the probe", "Tokens with the probe"]
    for share in SHARES:
        rows = []
        for method, runs in pool.outcomes.items():
            runs = [run for run in runs if run[f"target_{100 * share:g}"] is not None]
            spent, whole = ([cost_of(run, share, probe) for run in runs] for probe in (False, True))
            reached = f"{sum(cost is not None for cost in spent)} of {len(runs)} seeds"
            cells = [cell for amounts in (spent, whole) for cell in cost_cells(amounts, confidence)]
            rows.append([method_title(method), reached, *cells])
        parts += [f"Until {percentage(share, 0)} of FULL's gain:", markdown_rows(header, rows, aligned=True)]
    methods = pool.configuration["methods"]
    paying = [method_title(name) for name, row in methods.items() if needs_trajectories(row["score"])]
    return [
        *parts,
        "Rollouts, and tokens of their responses, until the first evaluation on the development set at or above the "
        "target: the base model's accuracy plus this share of what FULL gains at the same seed. Nothing is "
        "interpolated. If only some seeds reach it, the cells show the lowest and the highest cost of those that do, "
        "and no mean. If FULL gains nothing at a seed, this seed has no target. "
        f"*With the probe*: FULL's whole run is added for {', '.join(paying) or 'no method'}."
        f"{''.join(' ' + sentence for sentence in explained(methods))}",
    ]


def cost_differences(pool: Pool, pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Markdown paragraphs: the area and the rollouts of the first method of each pair minus those of the second."""
    confidence, rows = pool.configuration["report"]["confidence"], []
    for first, second in pairs:
        runs = list(zip(pool.outcomes[first], pool.outcomes[second], strict=True))
        areas = [None if None in (one["area"], other["area"]) else one["area"] - other["area"] for one, other in runs]
        cells = [accuracy_cell(areas, confidence, signed=True)]
        cells += [_rollouts(runs, share, probe, confidence) for share in SHARES for probe in _PROBE]
        rows.append([f"{method_title(first)} - {method_title(second)}", *cells])
    header = [f"Rollouts to {percentage(share, 0)}{words}" for share in SHARES for words in _PROBE.values()]
    return [
        "Differences of the area, in points, and of the rollouts:",
        markdown_rows(["Methods", "Area", *header], rows, aligned=True),
        "*Not all*: both methods reach the target at only so many seeds, so there is no difference to show.",
    ]


def _rollouts(
    runs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], share: float, with_probe: bool, confidence: float
) -> str:
    costs = [[cost_of(run, share, with_probe) for run in pair] for pair in runs]
    both = [one.rollouts - other.rollouts for one, other in costs if one is not None and other is not None]
    if len(both) < len(runs):
        return f"not all: {len(both)} of {len(runs)}"
    return amount_cell(SeedIntervals(confidence).of(np.array(both)), signed=True)
