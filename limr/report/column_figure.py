"""Figures at the width of a journal's column: 85 mm, with no text below 7 points, as SVG, PNG and CSV."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import polars as pl
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from limr.files.atomic import whole_file
from limr.report.style import save_figure

WIDTH = 85 / 25.4  # inches
_STYLE = {
    "font.size": 7,
    "axes.titlesize": 7.5,
    "axes.labelsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "grid.linewidth": 0.5,
}
_DPI = 300
_MOST_COLUMNS, _LEGEND_ROW = 4, 0.14  # of a legend; inches
_DIGITS = 6  # decimals in the CSV: further decimals may depend on the number of threads


def column_style() -> AbstractContextManager[None]:
    """Draw a figure of ``WIDTH`` inside this context: it sets the sizes of text and lines."""
    return rc_context(_STYLE)


def legend_below(figure: Figure, axes: Axes) -> None:
    """Add a legend of the lines of ``axes`` below the figure, in as many columns as fit, and make room for its rows."""
    handles, labels = axes.get_legend_handles_labels()
    renderer = FigureCanvasAgg(figure).get_renderer()
    for columns in range(min(_MOST_COLUMNS, len(labels)), 0, -1):
        spacing = {"columnspacing": 1, "handlelength": 2}
        legend = figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False, **spacing)
        if columns == 1 or legend.get_window_extent(renderer).width <= figure.bbox.width:
            break
        legend.remove()
    rows = -(-len(labels) // columns)  # rounded up
    figure.set_figheight(figure.get_figheight() + rows * _LEGEND_ROW)


def save_as_svg_and_png(figure: Figure, outputs: Mapping[str, Path]) -> None:
    """Write ``figure`` to ``outputs["svg"]`` and ``outputs["png"]``."""
    for kind in ("svg", "png"):
        save_figure(figure, outputs[kind], dpi=_DPI)


def save_with_numbers(figure: Figure, numbers: pl.DataFrame, outputs: Mapping[str, Path]) -> None:
    """Write ``figure`` as ``save_as_svg_and_png`` does, and what it shows to ``outputs["csv"]``."""
    save_as_svg_and_png(figure, outputs)
    rounded = numbers.with_columns(pl.selectors.float().fill_nan(None).round(_DIGITS))
    with whole_file(outputs["csv"]) as temporary:
        rounded.write_csv(temporary)
