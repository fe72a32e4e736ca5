"""outcomes.md and outcomes.csv: what every method achieves, what it costs, and how the methods compare."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from limr.configuration.check import probe
from limr.files.atomic import whole_file, write_text
from limr.files.markdown import markdown_rows, percentage
from limr.report.bootstrap import Interval
from limr.report.contrasts import interquartile_mean, probability_of_improvement
from limr.report.outcomes import SHARES, Cost, Outcome, Reached, outcomes_of
from limr.report.results import evaluated_methods, method_scored_by, read_results
from limr.report.seed_intervals import FEWEST_SEEDS, SeedIntervals, seed_averages
from limr.report.style import BASE, method_title, percent
from limr.report.training_runs import number_range
from limr.selection.method import needs_trajectories

_DIGITS = 6  # decimals of the fractions in the CSV
Results = Mapping[str, Mapping[str, np.ndarray]]
Outcomes = Mapping[str, Sequence[Outcome]]

_MEASURES: dict[str, Callable[[Outcome], float | None]] = {
    "Development, last": lambda run: run.curve.last,
    "Development, best": lambda run: run.curve.best,
    "Best - last": lambda run: run.curve.best - run.curve.last,
    "Area": lambda run: run.curve.area,
}


def write_outcomes(
    evaluations: Sequence[Path], runs: Sequence[Path], configuration: Mapping[str, Any], outputs: Mapping[str, Path]
) -> None:
    """Write the page to ``outputs["markdown"]``, and one row per training run to ``outputs["csv"]``.

    - ``evaluations``: the evaluation files of the base model and of every method, seed and benchmark.
    - ``runs``: the folders ``.../METHOD/seedSEED`` of all training runs, with their metrics and rollouts.
    - ``configuration``: the whole checked configuration.

    Raises LimrError as ``read_results`` and ``outcomes_of`` do.
    """
    methods, seeds = evaluated_methods(configuration), configuration["seeds"]
    results = read_results(evaluations, methods, seeds, configuration["benchmarks"])
    outcomes = outcomes_of(runs, configuration)
    page = [
        "# Outcomes",
        "What the methods of Table 2 achieve, what they cost, and how they compare.",
        "## Accuracy",
        *_accuracies(results, outcomes, configuration),
        "## Cost",
        *_costs(outcomes, configuration),
        "## Comparison",
        *_comparison(results, outcomes, configuration),
    ]
    write_text(outputs["markdown"], "\n\n".join(page) + "\n")
    with whole_file(outputs["csv"]) as temporary:
        _tidy(results, outcomes).write_csv(temporary)


def _accuracies(results: Results, outcomes: Outcomes, configuration: Mapping[str, Any]) -> list[str]:
    confidence, rows = configuration["report"]["confidence"], []
    for method, scores in results.items():
        runs = outcomes.get(method, [])
        cells = [_accuracy([measure(run) for run in runs], confidence) for measure in _MEASURES.values()]
        cells.insert(2, number_range(run.curve.best_step for run in runs) if runs else None)
        if method == BASE:
            cells[0] = _accuracy([run.curve.base for run in next(iter(outcomes.values()))], confidence)
        rows.append([method_title(method), _accuracy(seed_averages(scores).tolist(), confidence), *cells])
    header = ["Method", "Benchmarks", *_MEASURES]
    header.insert(4, "Step of the best")
    return [
        markdown_rows(header, rows, aligned=True),
        f"In percent{_over_seeds(configuration)}. *Benchmarks*: the model after the last step, averaged over the "
        "benchmarks as in Table 2; only boxed answers count. *Development*: greedy accuracy on the development set "
        "during training. *Step*: training steps before the evaluation. *Best - last*: what stopping at the best "
        "evaluation seems to give. It is too high, because the best of many noisy evaluations is partly luck. *Area*: "
        "under the curve of the development accuracy, by trapezoids, divided by the steps between the first and the "
        "last evaluation.",
        *_missing_evaluations(outcomes, configuration["training"]["steps"]),
    ]


def _missing_evaluations(outcomes: Outcomes, steps: int) -> list[str]:
    """A paragraph that names the evaluations that the metrics lack: of the last model, or that other runs have."""
    runs = [run for several in outcomes.values() for run in several]
    expected = {step for run in runs for step in run.curve.steps}
    lines = []
    if max(expected) < steps:
        lines.append(f"The last evaluation on the development set comes after {max(expected):,} of {steps:,} steps.")
    for run in runs:
        if missing := sorted(expected - set(run.curve.steps)):
            lines.append(
                f"{method_title(run.method)}, seed {run.seed}, lacks the evaluation after step "
                f"{', '.join(map(str, missing))}, which other runs have: its numbers may not compare with theirs."
            )
    return [" ".join(lines)] if lines else []


def _costs(outcomes: Outcomes, configuration: Mapping[str, Any]) -> list[str]:
    full = probe(configuration["methods"])
    if full is None:
        return ["No method trains on all prompts, so there is no gain of FULL to reach."]
    confidence, parts = configuration["report"]["confidence"], _without_target(outcomes[full])
    if all(run.targets[SHARES[0]].level is None for run in outcomes[full]):
        return parts
    header = ["Method", "Reached", "Rollouts", "Tokens", "Rollouts with the probe", "Tokens with the probe"]
    for share in SHARES:
        rows = []
        for method, runs in outcomes.items():
            targets = [run.targets[share] for run in runs if run.targets[share].level is not None]
            spent, whole = [target.cost for target in targets], [target.with_probe for target in targets]
            amounts = [_amounts(costs, confidence) for costs in (spent, whole)]
            rows.append([method_title(method), _reached(targets), *amounts[0], *amounts[1]])
        parts += [f"Until {percentage(share, 0)} of FULL's gain:", markdown_rows(header, rows, aligned=True)]
    paying = [method_title(name) for name, row in configuration["methods"].items() if needs_trajectories(row["score"])]
    who = f"the scores of {', '.join(paying)} read" if paying else "no score here reads"
    return [
        *parts,
        "Rollouts, and tokens of their responses, that a run generated before its first evaluation on the development "
        "set at or above the target; nothing is interpolated. The target is the base model's accuracy plus this share "
        "of what FULL, at the same seed, has gained at its last evaluation. If only some seeds reach it, the table "
        "shows the lowest and the highest cost of those that do, and no mean. *With the probe*: "
        f"{who} the trajectories of the probe, so FULL's whole run is added to their cost."
        f"{' ' + _intervals(configuration) if _several(configuration) else ''}",
    ]


def _without_target(full: Sequence[Outcome]) -> list[str]:
    """A paragraph about the seeds without a target, if there are any."""
    unknown = [str(run.seed) for run in full if run.curve.base is None]
    nothing = [str(run.seed) for run in full if run.curve.base is not None and run.curve.last <= run.curve.base]
    lines = []
    if unknown:
        lines.append(
            f"Seed {', '.join(unknown)}: FULL's metrics have no evaluation before training (OpenRLHF makes none), so "
            "its gain over the base model is not known, and there is no target."
        )
    if nothing:
        lines.append(f"Seed {', '.join(nothing)}: FULL gained nothing over the base model, so there is no target.")
    return [" ".join(lines)] if lines else []


def _reached(targets: Sequence[Reached]) -> str:
    reached = sum(target.cost is not None for target in targets)
    if not reached:
        return "not reached"
    return f"{reached} of {len(targets)} seeds" if len(targets) > 1 else "yes"


def _comparison(results: Results, outcomes: Outcomes, configuration: Mapping[str, Any]) -> list[str]:
    if not _several(configuration):
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
    differences = [_differences(other, results, outcomes, configuration) for other in others]
    return [
        markdown_rows(header, rows, aligned=True),
        "Of the benchmarks' accuracies. *Interquartile mean*: the mean of the middle half of all seeds and benchmarks, "
        "in percent. *Better than*: the chance that a run of this method beats a run of the other one on a benchmark, "
        "over all pairs of their seeds, averaged over the benchmarks; ties count one half. Both as in rliable (Agarwal "
        "et al. 2021, arXiv 2108.13264), without intervals.",
        *(part for parts in differences for part in parts),
        "Differences are paired by seed: accuracies in points, costs in rollouts. "
        f"{_intervals(configuration)} They are not corrected for the number of differences. *Not all*: both methods "
        "reach the target at only so many seeds, so there is no difference to show.",
    ]


def _by_seed(scores: Mapping[str, np.ndarray]) -> np.ndarray:
    """The accuracies [seeds, benchmarks] of ``scores``: benchmark -> [seeds, problems]."""
    return np.stack([values.mean(axis=1) for values in scores.values()], axis=1)


def _differences(other: str, results: Results, outcomes: Outcomes, configuration: Mapping[str, Any]) -> list[str]:
    """The table of every method minus ``other``."""
    confidence, rows = configuration["report"]["confidence"], []
    for method, runs in outcomes.items():
        if method == other:
            continue
        pairs = list(zip(runs, outcomes[other], strict=True))
        averages = seed_averages(results[method]) - seed_averages(results[other])
        cells = [_accuracy(averages.tolist(), confidence, signed=True)]
        cells += [
            _accuracy([_minus(measure(run), measure(reference)) for run, reference in pairs], confidence, signed=True)
            for name, measure in _MEASURES.items()
            if name != "Best - last"
        ]
        cells += [_cost_difference(pairs, share, confidence) for share in SHARES]
        rows.append([method_title(method), *cells])
    costs = [f"Rollouts to {percentage(share, 0)}, with the probe" for share in SHARES]
    header = ["Method", "Benchmarks", *(name for name in _MEASURES if name != "Best - last"), *costs]
    return [f"Minus {method_title(other)}:", markdown_rows(header, rows, aligned=True)] if rows else []


def _cost_difference(pairs: Sequence[tuple[Outcome, Outcome]], share: float, confidence: float) -> str:
    costs = [(run.targets[share].with_probe, other.targets[share].with_probe) for run, other in pairs]
    both = [first.rollouts - second.rollouts for first, second in costs if first and second]
    if len(both) < len(pairs):
        return f"not all: {len(both)} of {len(pairs)}"
    return _amount(SeedIntervals(confidence).of(np.array(both)), signed=True)


def _minus(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first - second


def _accuracy(values: Sequence[float | None], confidence: float, signed: bool = False) -> str | None:
    """The mean of one value per seed in percent, with its interval if there are enough seeds; None if one is None."""
    if not values or None in values:
        return None
    if len(values) >= FEWEST_SEEDS:
        return percent(SeedIntervals(confidence).of(np.array(values)), signed)
    return percent(Interval(float(np.mean(values)), 0, 0), signed).split(" ")[0]


def _amounts(costs: Sequence[Cost | None], confidence: float) -> list[str | None]:
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
            cells.append(_amount(SeedIntervals(confidence).of(np.array(values))))
    return cells


def _amount(value: Interval, signed: bool = False) -> str:
    point, low, high = (
        format(number, "+,.0f" if signed else ",.0f") for number in (value.point, value.low, value.high)
    )
    return f"{point} [{low}, {high}]"


def _several(configuration: Mapping[str, Any]) -> bool:
    """Whether there are enough seeds for intervals."""
    return len(configuration["seeds"]) >= FEWEST_SEEDS


def _over_seeds(configuration: Mapping[str, Any]) -> str:
    seeds = len(configuration["seeds"])
    if _several(configuration):
        return f", mean over {seeds} seeds. {_intervals(configuration)[:-1]}"
    return f", mean over {seeds} seeds, too few for intervals" if seeds > 1 else ", one seed, so without intervals"


def _intervals(configuration: Mapping[str, Any]) -> str:
    confidence = 100 * configuration["report"]["confidence"]
    return f"In brackets: {confidence:g} % intervals of Student's t over the seeds."


def _tidy(results: Results, outcomes: Outcomes) -> pl.DataFrame:
    """One row per training run. Accuracies are fractions; what a run did not reach is empty."""
    rows = []
    for method, runs in outcomes.items():
        for run, average in zip(runs, seed_averages(results[method]).tolist(), strict=True):
            curve = run.curve
            row = {
                "method": method,
                "seed": run.seed,
                "benchmarks": average,
                "development_base": curve.base,
                "development_last": curve.last,
                "last_step": curve.steps[-1],
                "development_best": curve.best,
                "best_step": curve.best_step,
                "area": curve.area,
                "rollouts": curve.whole_run.rollouts,
                "tokens": curve.whole_run.tokens,
            }
            for share, reached in run.targets.items():
                row |= _target_columns(f"{100 * share:g}", reached)
            rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(pl.col(pl.Float64).round(_DIGITS))


def _target_columns(name: str, reached: Reached) -> dict[str, float | None]:
    spent, whole = reached.cost, reached.with_probe
    return {
        f"target_{name}": reached.level,
        f"step_to_{name}": reached.step,
        f"rollouts_to_{name}": spent.rollouts if spent else None,
        f"tokens_to_{name}": spent.tokens if spent else None,
        f"rollouts_to_{name}_with_probe": whole.rollouts if whole else None,
        f"tokens_to_{name}_with_probe": whole.tokens if whole else None,
    }
