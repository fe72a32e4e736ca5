"""Figures over the training steps: accuracy, response length and reward, one line per method."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from limr.files.atomic import whole_file
from limr.report.step_curves import Curve, curves, read_evaluations, read_rewards
from limr.report.style import method_colour, method_marker, method_title, plain_axes, save_figure

# inches, at which the text has the size of a paper's small print
_ONE_PANEL, _PANEL = (3.4, 2.8), (2.3, 2.6)
_FONT = {"font.size": 8, "axes.titlesize": 8, "xtick.labelsize": 7, "ytick.labelsize": 7}
_DPI = 300
_MARKED = 10  # number of markers on a line
_DIGITS = 6  # decimals in the CSV: further decimals may depend on the number of threads


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
    seeds: Sequence[int],
    titles: Mapping[str, str],
    confidence: float,
    outputs: Mapping[str, Path],
) -> None:
    """Draw the results of ``methods`` over the training steps to ``outputs["svg"]`` and ``outputs["png"]``.

    With ``metrics`` (contract metrics, in the order of ``methods`` and their ``seeds``), the panels show the average
    accuracy and response length over the benchmarks, and the training reward. Without, they show the accuracy on each
    benchmark. ``evaluations`` are files of contract evaluation_steps, one per method and seed. ``titles`` maps the
    benchmarks to their names in the figure. ``outputs["csv"]`` gets the numbers.

    From three seeds on, a band shows the interval of the mean; two seeds are thin lines. The same input gives the same
    bytes.

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
    with rc_context(_FONT):
        figure = _draw(panels)
        for kind in ("svg", "png"):
            save_figure(figure, outputs[kind], dpi=_DPI)
    with whole_file(outputs["csv"]) as temporary:
        _numbers(panels, seeds).write_csv(temporary)


def _draw(panels: Sequence[_Panel]) -> Figure:
    size = _ONE_PANEL if len(panels) == 1 else (_PANEL[0] * len(panels), _PANEL[1])
    figure = Figure(figsize=size, layout="constrained")
    every = figure.subplots(1, len(panels), squeeze=False)[0]
    for letter, axes, panel in zip("abcdefghijklmnopqrstuvwxyz", every, panels, strict=False):
        for method, curve in panel.curves.items():
            _draw_curve(axes, method, curve)
        title = panel.title if len(panels) == 1 else f"({letter}) {panel.title}"
        axes.set(title=title, xlabel="training steps", ylabel=panel.label)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        if panel.percent:
            axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        plain_axes(axes)
    handles = every[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=min(len(handles[0]), len(panels) + 2), frameon=False)
    return figure


def _draw_curve(axes: Axes, method: str, curve: Curve) -> None:
    colour = method_colour(method)
    if curve.band is not None:
        axes.fill_between(curve.steps, *curve.band, color=colour, alpha=0.2, linewidth=0)
    elif len(curve.values) > 1:
        axes.plot(curve.steps, curve.values.T, color=colour, linewidth=0.6, alpha=0.5)
    axes.plot(
        curve.steps, curve.mean, color=colour, linewidth=1.5, marker=method_marker(method), markersize=3.5,
        markevery=max(1, len(curve.steps) // _MARKED), label=method_title(method),
    )  # fmt: skip


def _numbers(panels: Sequence[_Panel], seeds: Sequence[int]) -> pl.DataFrame:
    """What the figure shows: one row per panel, method and step, with a column for each seed."""
    tables = []
    for panel in panels:
        for method, curve in panel.curves.items():
            low, high = curve.band or (np.full(len(curve.steps), np.nan),) * 2
            columns = {"mean": curve.mean, "low": low, "high": high}
            columns |= {f"seed_{seed}": values for seed, values in zip(seeds, curve.values, strict=True)}
            numbers = pl.DataFrame(columns).select(pl.all().fill_nan(None).round(_DIGITS))
            names = pl.DataFrame({"step": curve.steps}).select(
                pl.lit(panel.name).alias("panel"), pl.lit(method).alias("method"), "step"
            )
            tables.append(pl.concat([names, numbers], how="horizontal"))
    return pl.concat(tables)
