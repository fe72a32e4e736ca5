"""Figures over the training steps: accuracy, response length and reward, one line per method."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from limr.report.column_figure import WIDTH, column_style, legend_below, save_with_numbers
from limr.report.looks import Look, method_looks
from limr.report.step_curves import Curve, curves, read_evaluations, read_rewards
from limr.report.style import method_title, plain_axes

_PANEL, _AROUND = 1.25, 0.35  # heights in inches
_ONE_PANEL = 1.9  # height of the only panel of a figure
_MARKED = 10  # number of markers on a line
_ROUND = [1, 2, 2.5, 5, 10]  # distances of ticks, times a power of ten


@dataclass(frozen=True)
class _Panel:
    name: str
    title: str
    label: str
    curves: Mapping[str, Curve]
    percent: bool = False


def write_figure_over_steps(
    evaluations: Sequence[Path],
    metrics: Sequence[Path],
    methods: Sequence[str],
    all_methods: Sequence[str],
    seeds: Sequence[int],
    titles: Mapping[str, str],
    confidence: float,
    outputs: Mapping[str, Path],
) -> None:
    """Draw the results of ``methods`` over the training steps to ``outputs["svg"]`` and ``outputs["png"]``.

    With ``metrics`` (contract metrics, in the order of ``methods`` and their ``seeds``), the panels show the average
    accuracy and response length over the benchmarks, and the training reward. Without, they show the accuracy on each
    benchmark. ``evaluations`` are files of contract evaluation_steps, one per method and seed. ``titles`` maps the
    benchmarks to their names in the figure. ``outputs["csv"]`` gets the numbers. ``all_methods`` are those of the
    configuration, so that a method looks the same in every figure.

    From two seeds on, a band shows what ``Curve.band`` says. The same input gives the same bytes.

    Raises LimrError as ``read_evaluations`` does.
    """
    results = read_evaluations(evaluations, methods, seeds).filter(pl.col("benchmark").is_in(list(titles)))

    def panel_curves(rows: pl.DataFrame) -> dict[str, Curve]:
        return curves(rows, methods, seeds, confidence)

    if metrics:
        # the unweighted mean of the benchmarks, as in Table 2
        means = results.drop("benchmark").group_by("method", "seed", "step", maintain_order=True).mean()
        accuracies, lengths = (means.rename({name: "value"}) for name in ("accuracy", "response_tokens"))
        rewards = read_rewards(metrics, methods, seeds)
        panels = [
            _Panel("accuracy", "Average accuracy", "accuracy", panel_curves(accuracies), percent=True),
            _Panel("response_tokens", "Average response length", "tokens", panel_curves(lengths)),
            _Panel("reward", "Training reward", "mean reward", panel_curves(rewards)),
        ]
    else:
        values = results.rename({"accuracy": "value"})
        panels = [
            _Panel(name, title, "accuracy", panel_curves(values.filter(pl.col("benchmark") == name)), percent=True)
            for name, title in titles.items()
        ]
    with column_style():
        figure = _draw(panels, method_looks(all_methods))
        save_with_numbers(figure, _numbers(panels, seeds), outputs)


def _draw(panels: Sequence[_Panel], looks: Mapping[str, Look]) -> Figure:
    height = (_ONE_PANEL if len(panels) == 1 else len(panels) * _PANEL) + _AROUND
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    every = figure.subplots(len(panels), 1, squeeze=False, sharex=True)[:, 0]
    for letter, axes, panel in zip("abcdefghijklmnopqrstuvwxyz", every, panels, strict=False):
        for method, curve in panel.curves.items():
            _draw_curve(axes, method_title(method), curve, looks[method])
        axes.set(title=panel.title if len(panels) == 1 else f"({letter}) {panel.title}", ylabel=panel.label)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=_ROUND, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=_ROUND))
        if panel.percent:
            axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=None))
        plain_axes(axes)
    every[-1].set_xlabel("training steps")
    figure.align_ylabels(every)
    legend_below(figure, every[0])
    return figure


def _draw_curve(axes: Axes, label: str, curve: Curve, look: Look) -> None:
    if curve.band is not None:
        axes.fill_between(curve.steps, *curve.band, color=look.colour, alpha=0.18, linewidth=0)
    axes.plot(
        curve.steps, curve.mean, color=look.colour, linewidth=1.2, linestyle=look.line, marker=look.marker,
        markersize=3.2, markeredgewidth=0, markevery=max(1, len(curve.steps) // _MARKED), label=label,
    )  # fmt: skip


def _numbers(panels: Sequence[_Panel], seeds: Sequence[int]) -> pl.DataFrame:
    """What the figure shows: one row per panel, method and step, with a column for each seed."""
    tables = []
    for panel in panels:
        for method, curve in panel.curves.items():
            low, high = curve.band or (np.full(len(curve.steps), np.nan),) * 2
            columns = {"step": curve.steps, "mean": curve.mean, "low": low, "high": high}
            columns |= {f"seed_{seed}": values for seed, values in zip(seeds, curve.values, strict=True)}
            names = pl.lit(panel.name).alias("panel"), pl.lit(method).alias("method")
            tables.append(pl.DataFrame(columns).select(*names, pl.all()))
    return pl.concat(tables)
