"""Figures at the width of a journal's column: 85 mm, with no text below 7 points, as SVG, PNG and CSV."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import polars as pl
from matplotlib import rc_context
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
_DIGITS = 6  # decimals in the CSV: further decimals may depend on the number of threads


def column_style() -> AbstractContextManager[None]:
    """Draw a figure of ``WIDTH`` inside this context: it sets the sizes of text and lines."""
    return rc_context(_STYLE)


def save_with_numbers(figure: Figure, numbers: pl.DataFrame, outputs: Mapping[str, Path]) -> None:
    """Write ``figure`` to ``outputs["svg"]`` and ``outputs["png"]``, and what it shows to ``outputs["csv"]``."""
    for kind in ("svg", "png"):
        save_figure(figure, outputs[kind], dpi=_DPI)
    rounded = numbers.with_columns(pl.selectors.float().fill_nan(None).round(_DIGITS))
    with whole_file(outputs["csv"]) as temporary:
        rounded.write_csv(temporary)
