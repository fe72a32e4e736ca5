"""outcomes.md and outcomes.csv: what every method achieves, what it costs, and how the methods compare."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from limr.configuration.check import probe
from limr.files.atomic import whole_file, write_text
from limr.files.markdown import markdown_rows, percentage
from limr.report.outcome_cells import MEASURES, accuracy_cell, cost_cells, has_intervals, intervals_sentence, over_seeds
from limr.report.outcomes import SHARES, Outcome, Reached, outcomes_of
from limr.report.outcomes_comparison import Outcomes, Results, comparison
from limr.report.probe_cost import explained
from limr.report.results import evaluated_methods, read_results
from limr.report.seed_intervals import seed_averages
from limr.report.style import BASE, method_title
from limr.report.training_runs import number_range
from limr.selection.method import needs_trajectories

_DIGITS = 6  # decimals of the fractions in the CSV


def write_outcomes(
    evaluations: Sequence[Path],
    runs: Sequence[Path],
    configuration: Mapping[str, Any],
    outputs: Mapping[str, Path],
    measured: Sequence[Path] = (),
) -> None:
    """Write the page to ``outputs["markdown"]``, and one row per training run to ``outputs["csv"]``.

    - ``evaluations``: the evaluation files of the base model and of every method, seed and benchmark.
    - ``runs``: the folders ``.../METHOD/seedSEED`` of all training runs, with their metrics and rollouts.
    - ``configuration``: the whole checked configuration.
    - ``measured``: the folders ``.../seedSEED`` of rollouts from the checkpoints of the probe, if a method scores them.

    Raises LimrError as ``read_results`` and ``outcomes_of`` do.
    """
    methods, seeds = evaluated_methods(configuration), configuration["seeds"]
    results = read_results(evaluations, methods, seeds, configuration["benchmarks"])
    outcomes = outcomes_of(runs, configuration, measured)
    page = [
        "# Outcomes",
        "What the methods of Table 2 achieve, what they cost, and how they compare.",
        "## Accuracy",
        *_accuracies(results, outcomes, configuration),
        "## Cost",
        *_costs(outcomes, configuration),
        "## Comparison",
        *comparison(results, outcomes, configuration),
    ]
    write_text(outputs["markdown"], "\n\n".join(page) + "\n")
    with whole_file(outputs["csv"]) as temporary:
        _tidy(results, outcomes).write_csv(temporary)


def _accuracies(results: Results, outcomes: Outcomes, configuration: Mapping[str, Any]) -> list[str]:
    confidence, rows = configuration["report"]["confidence"], []
    for method, scores in results.items():
        runs = outcomes.get(method, [])
        cells = [accuracy_cell([measure(run) for run in runs], confidence) for measure in MEASURES.values()]
        cells.insert(2, number_range(run.curve.best_step for run in runs) if runs else None)
        if method == BASE:
            cells[0] = accuracy_cell([run.curve.base for run in next(iter(outcomes.values()))], confidence)
        rows.append([method_title(method), accuracy_cell(seed_averages(scores).tolist(), confidence), *cells])
    header = ["Method", "Benchmarks", *MEASURES]
    header.insert(4, "Step of the best")
    return [
        markdown_rows(header, rows, aligned=True),
        f"In percent{over_seeds(configuration)}. *Benchmarks*: the model after the last step, averaged over the "
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
            amounts = [cost_cells(costs, confidence) for costs in (spent, whole)]
            rows.append([method_title(method), _reached(targets), *amounts[0], *amounts[1]])
        parts += [f"Until {percentage(share, 0)} of FULL's gain:", markdown_rows(header, rows, aligned=True)]
    methods = configuration["methods"]
    paying = [method_title(name) for name, row in methods.items() if needs_trajectories(row["score"])]
    who = f"the scores of {', '.join(paying)} read" if paying else "no score here reads"
    return [
        *parts,
        "Rollouts, and tokens of their responses, that a run generated before its first evaluation on the development "
        "set at or above the target; nothing is interpolated. The target is the base model's accuracy plus this share "
        "of what FULL, at the same seed, has gained at its last evaluation. If only some seeds reach it, the table "
        "shows the lowest and the highest cost of those that do, and no mean. *With the probe*: "
        f"{who} the trajectories of the probe, so FULL's whole run is added to their cost."
        f"{''.join(' ' + sentence for sentence in explained(methods))}"
        f"{' ' + intervals_sentence(configuration) if has_intervals(configuration) else ''}",
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
