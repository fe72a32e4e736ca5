"""Figure: how early a probe could have stopped."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from limr.files.markdown import percentage
from limr.report.early_stopping_page import LEVELS
from limr.report.style import plain_axes, save_figure
from limr.selection.early_stopping import CORRELATION, LATER_CORRELATION, LATER_OVERLAP, OVERLAP, EarlyStopping

FULL_COLOUR, LATER_COLOUR = "#0072B2", "#D55E00"  # from the palette of limr.report.style


def draw_early_stopping(found: EarlyStopping, output: Path) -> None:
    """Draw overlap and rank correlation over the visits, with their bands, and mark where the overlap stays high."""
    figure = Figure(figsize=(11, 5.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw(left, found, OVERLAP, LATER_OVERLAP)
    _draw(right, found, CORRELATION, LATER_CORRELATION)
    left.axhline(found.chance, color="#555555", linestyle=":", label=f"expected by chance: {percentage(found.chance)}")
    _mark_levels(left, found)
    left.set(ylim=(0, 1.04), title=f"The best {percentage(found.share)}: {found.number:,} of {found.prompts:,} prompts")
    left.set_ylabel("overlap")
    left.yaxis.set_major_formatter(PercentFormatter(1))
    right.set(title="The order of all prompts", ylabel="Spearman's rank correlation")
    right.set_ylim(min(0, right.get_ylim()[0]), 1.04)
    figure.suptitle(f"LIM of the {found.signal} after the first visits, compared with LIM of all or the later visits")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    save_figure(figure, output)


def _draw(axes: Axes, found: EarlyStopping, full: str, later: str) -> None:
    visits = found.rows["visits"].to_numpy()
    for measure, colour, style, label in (
        (full, FULL_COLOUR, "-", "against LIM of all visits (including the first ones)"),
        (later, LATER_COLOUR, "--", "against LIM of the later visits alone"),
    ):
        low, value, high = (found.rows[name].to_numpy() for name in (f"{measure}_low", measure, f"{measure}_high"))
        axes.fill_between(visits, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(visits, value, style, color=colour, linewidth=2, label=label)
    axes.set_xlabel("visits of each prompt before the probe stops")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10))
    axes.set_xlim(visits[0] - 0.5, visits[-1] + 0.5)
    plain_axes(axes)


def _mark_levels(axes: Axes, found: EarlyStopping) -> None:
    """Mark the visit from which the overlap stays at each level; the legend names the share of the rollouts."""
    for level, marker in zip(LEVELS, "so", strict=True):
        row = found.reaches(level)
        share = percentage(row["rollouts"], 0)
        axes.plot([row["visits"]] * 2, [0, row[OVERLAP]], color="black", linewidth=0.8, alpha=0.5)
        axes.plot(
            [row["visits"]], [row[OVERLAP]], marker, color="black", markersize=6,
            label=f"{percentage(level, 0)} from {row['visits']} visits on: {share} of the rollouts",
        )  # fmt: skip
