"""The section of outcomes.md that compares the methods: rliable's statistics, and differences paired by seed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from limr.configuration.check import probe
from limr.files.markdown import markdown_rows, percentage
from limr.report.contrasts import interquartile_mean, probability_of_improvement
from limr.report.outcome_cells import MEASURES, accuracy_cell, amount_cell, has_intervals, intervals_sentence
from limr.report.outcomes import SHARES, Outcome
from limr.report.results import method_scored_by
from limr.report.seed_intervals import FEWEST_SEEDS, SeedIntervals, seed_averages
from limr.report.style import method_title

Results = Mapping[str, Mapping[str, np.ndarray]]
Outcomes = Mapping[str, Sequence[Outcome]]


def comparison(results: Results, outcomes: Outcomes, configuration: Mapping[str, Any]) -> list[str]:
    """Markdown paragraphs: rliable's statistics of each method, and the differences to RAND and to FULL."""
    if not has_intervals(configuration):
        return [f"Comparing methods takes at least {FEWEST_SEEDS} seeds (`seeds` in the configuration)."]
    others = [name for name in (method_scored_by("rand", configuration), probe(configuration["methods"])) if name]
    rows = []
    for method, scores in results.items():
        values = _by_seed(scores)
        chances = [
            None if method == other else f"{probability_of_improvement(values, _by_seed(results[other])):.2f}"
            for other in others
        ]
        rows.append([method_title(method), f"{100 * interquartile_mean(values):.1f}", *chances])
    header = ["Method", "Interquartile mean", *(f"Better than {method_title(other)}" for other in others)]
    tables = [part for other in others for part in _differences(other, results, outcomes, configuration)]
    below = (
        "Differences are paired by seed: accuracies in points, costs in rollouts. "
        f"{intervals_sentence(configuration)} They are not corrected for the number of differences. *Not all*: both "
        "methods reach the target at only so many seeds, so there is no difference to show."
    )
    return [
        markdown_rows(header, rows, aligned=True),
        "Of the benchmarks' accuracies. *Interquartile mean*: the mean of the middle half of all seeds and benchmarks, "
        "in percent. *Better than*: the chance that a run of this method beats a run of the other one on a benchmark, "
        "over all pairs of their seeds, averaged over the benchmarks; ties count one half. Both as in rliable (Agarwal "
        "et al. 2021, arXiv 2108.13264), without intervals.",
        *tables,
        *([below] if tables else []),
    ]


def _by_seed(scores: Mapping[str, np.ndarray]) -> np.ndarray:
    """The accuracies [seeds, benchmarks] of ``scores``: benchmark -> [seeds, problems]."""
    return np.stack([values.mean(axis=1) for values in scores.values()], axis=1)


def _differences(other: str, results: Results, outcomes: Outcomes, configuration: Mapping[str, Any]) -> list[str]:
    """The table of every method minus ``other``."""
    confidence, rows = configuration["report"]["confidence"], []
    measures = {name: measure for name, measure in MEASURES.items() if name != "Best - last"}
    for method, runs in outcomes.items():
        if method == other:
            continue
        pairs = list(zip(runs, outcomes[other], strict=True))
        averages = seed_averages(results[method]) - seed_averages(results[other])
        cells = [accuracy_cell(averages.tolist(), confidence, signed=True)]
        for measure in measures.values():
            values = [_minus(measure(run), measure(reference)) for run, reference in pairs]
            cells.append(accuracy_cell(values, confidence, signed=True))
        cells += [_cost_difference(pairs, share, confidence) for share in SHARES]
        rows.append([method_title(method), *cells])
    costs = [f"Rollouts to {percentage(share, 0)}, with the probe" for share in SHARES]
    header = ["Method", "Benchmarks", *measures, *costs]
    return [f"Minus {method_title(other)}:", markdown_rows(header, rows, aligned=True)] if rows else []


def _cost_difference(pairs: Sequence[tuple[Outcome, Outcome]], share: float, confidence: float) -> str:
    costs = [(run.targets[share].with_probe, other.targets[share].with_probe) for run, other in pairs]
    both = [first.rollouts - second.rollouts for first, second in costs if first is not None and second is not None]
    if len(both) < len(pairs):
        return f"not all: {len(both)} of {len(pairs)}"
    return amount_cell(SeedIntervals(confidence).of(np.array(both)), signed=True)


def _minus(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first - second
