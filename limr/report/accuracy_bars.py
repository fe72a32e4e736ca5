"""Figure 1b: the average accuracy of each method beside its number of questions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from limr.errors import LimrError
from limr.report.beside_paper import method_in_paper, same_experiment
from limr.report.column_figure import WIDTH, column_style, save_with_numbers
from limr.report.looks import Look, method_looks
from limr.report.published_results import published
from limr.report.style import method_title, plain_axes
from limr.report.training_runs import number_range

_ROW, _LINE, _AROUND = 0.27, 0.13, 0.55  # heights in inches: of a bar, of a line of its label, of the rest
_LABEL = 22  # characters in a line of a label
_UNTRAINED = Look("#777777", "o", "-")
_THIS_RUN, _PAPER = "this run", "paper"


@dataclass(frozen=True)
class _Bar:
    """One bar: accuracies are fractions; ``seeds`` maps a seed to its accuracy. The paper gives one number."""

    method: str
    source: str
    questions: list[int]
    accuracy: float
    low: float | None = None
    high: float | None = None
    seeds: Mapping[int, float] | None = None


def write_accuracy_bars(table2: Path, outputs: Mapping[str, Path]) -> None:
    """Draw the averages of Table 2, given as table2.json, to ``outputs["svg"]`` and ``outputs["png"]``.

    Each bar has the interval of Table 2 and one dot per seed. With the paper's base model and benchmarks, the paper's
    averages stand beside ours. ``outputs["csv"]`` gets the numbers.

    Raises LimrError when a method lacks a seed.
    """
    table = json.loads(table2.read_text(encoding="utf-8"))
    bars = _bars(table, table2)
    with column_style():
        figure = _draw(bars, method_looks(table["configuration"]["methods"]))
        save_with_numbers(figure, _numbers(bars, table["configuration"]["seeds"]), outputs)


def _bars(table: Mapping[str, Any], where: Path) -> list[_Bar]:
    configuration = table["configuration"]
    problems = {name: benchmark["problems"] for name, benchmark in table["benchmarks"].items()}
    theirs = published()["methods"] if same_experiment(configuration, problems) else {}
    bars = []
    for row in table["methods"]:
        method, average = row["method"], row["average"]
        seeds = {each["seed"]: each["average"] for each in row["by_seed"]}
        runs = [each["seed"] for each in row["runs"]]
        trained = method in configuration["methods"]
        for found in (list(seeds), *([runs] if trained else [])):
            if found != configuration["seeds"]:
                raise LimrError(
                    where=(where, f"method {method}"),
                    found=f"the seeds {_listed(found)}",
                    expected=_listed(configuration["seeds"]),
                    advice="Delete the file, and give the same `snakemake` command again.",
                )
        questions = [each["questions"] for each in row["runs"]]
        bars.append(_Bar(method, _THIS_RUN, questions, average["point"], average["low"], average["high"], seeds))
        if paper := theirs.get(method_in_paper(method, configuration)):
            questions = [paper["questions"]] if "questions" in paper else []
            bars.append(_Bar(method, _PAPER, questions, paper["average"] / 100))
    return bars


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds)) or "none"


def _draw(bars: Sequence[_Bar], looks: Mapping[str, Look]) -> Figure:
    labels = [_label(bar) for bar in bars]
    row = max(_ROW, *(_LINE * (label.count("\n") + 1) for label in labels))
    figure = Figure(figsize=(WIDTH, row * len(bars) + _AROUND), layout="constrained")
    axes = figure.subplots()
    for height, bar in enumerate(bars):
        _draw_bar(axes, height, bar, looks.get(bar.method, _UNTRAINED))
    axes.set_yticks(range(len(bars)), labels)
    axes.set_ylim(len(bars) - 0.4, -0.6)  # the first bar on top
    axes.set_xlim(0, 1.12 * max(max(bar.accuracy, bar.high or 0, *(bar.seeds or {0: 0}).values()) for bar in bars))
    axes.set_xlabel("average accuracy on the benchmarks")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.tick_params(axis="y", length=0)
    plain_axes(axes, grid="x")
    return figure


def _draw_bar(axes: Axes, height: int, bar: _Bar, look: Look) -> None:
    ours = bar.source == _THIS_RUN
    axes.barh(
        height, bar.accuracy, height=0.62, color=look.colour if ours else "white", alpha=0.45 if ours else 1,
        edgecolor=look.colour, hatch="" if ours else "////", linewidth=0.6,
    )  # fmt: skip
    end = bar.accuracy
    if bar.seeds is not None:
        axes.plot([bar.low, bar.high], [height - 0.12] * 2, color="black", linewidth=1, marker="|", markersize=4)
        values = list(bar.seeds.values())
        axes.plot(
            values, [height + 0.14] * len(values), linestyle="", marker=look.marker, markersize=3, color=look.colour,
            markeredgecolor="black", markeredgewidth=0.4,
        )  # fmt: skip
        end = max(bar.high, *values)
    axes.annotate(
        f"{100 * bar.accuracy:.1f}", (end, height), xytext=(3, 0), textcoords="offset points", va="center",
    )  # fmt: skip


def _label(bar: _Bar) -> str:
    questions = f" ({number_range(bar.questions)})" if bar.questions else ""
    return fill(f"{method_title(bar.method)}{', paper' if bar.source == _PAPER else ''}{questions}", _LABEL)


def _numbers(bars: Sequence[_Bar], seeds: Sequence[int]) -> pl.DataFrame:
    """One row per bar; ``questions`` is a mean over the seeds."""
    rows = [
        {
            "method": bar.method,
            "row": bar.source,
            "questions": float(np.mean(bar.questions)) if bar.questions else None,
            "accuracy": bar.accuracy,
            "low": bar.low,
            "high": bar.high,
        }
        | {f"seed_{seed}": (bar.seeds or {}).get(seed) for seed in seeds}
        for bar in bars
    ]
    return pl.DataFrame(rows, infer_schema_length=None)
