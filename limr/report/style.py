"""Shared by tables and figures: titles of methods, numbers as text, axes, and writing figures."""

from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from limr.files.atomic import whole_file
from limr.report.bootstrap import Interval

BASE = "base"
BASE_PROMPT = "base_prompt"  # the base model with `base_model.prefix` before every problem

_TITLES = {BASE: "Base model", BASE_PROMPT: "Base model + prompt", "rand_solvable": "RAND-solvable"}

THETA_COLOUR = "#D55E00"

_TAIL = 0.01  # LIM has no lower bound; see ``lowest_shown``


def method_title(method: str) -> str:
    """The name of a method in tables and figures.

    >>> method_title("lim"), method_title("base_prompt"), method_title("rand_solvable"), method_title("pass_rate_band")
    ('LIM', 'Base model + prompt', 'RAND-solvable', 'PASS RATE BAND')
    """
    return _TITLES.get(method) or method.upper().replace("_", " ")


def percent(value: Interval, signed: bool = False) -> str:
    """An interval of fractions in percent, with one decimal.

    >>> percent(Interval(0.5, 0.4, 0.61234))
    '50.0 [40.0, 61.2]'
    >>> percent(Interval(0.05, -0.01, 0.1), signed=True)
    '+5.0 [-1.0, +10.0]'
    """
    form = "+.1f" if signed else ".1f"
    # adding 0.0 after rounding turns -0.0 into 0.0
    point, low, high = (format(round(100 * number, 1) + 0.0, form) for number in (value.point, value.low, value.high))
    return f"{point} [{low}, {high}]"


def lowest_shown(scores: np.ndarray, theta: float) -> float:
    """The left end of an axis of scores: the lowest score.

    If the lowest hundredth of the scores would take more than half of the axis, it is left out.
    """
    low, tail, high = scores.min(), min(np.quantile(scores, _TAIL), theta), scores.max()
    return float(tail if high - low > 2 * (high - tail) else low)


def edges_around(theta: float, low: float, high: float, bins: int) -> np.ndarray:
    """Edges of about ``bins`` bins from ``low`` to ``high``, one of them at ``theta``, so that no bar spans it.

    >>> edges_around(theta=0.5, low=0.0, high=1.0, bins=4).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0, 1.25]
    """
    width = max((high - low) / bins, 1e-6)
    below, above = int(np.ceil((theta - low) / width)), int(np.floor((high - theta) / width)) + 1
    return theta + width * np.arange(-below, above + 1)


def plain_axes(axes: Axes, grid: str = "both") -> None:
    """A light grid behind the data, and no lines at the top and on the right."""
    axes.set_axisbelow(True)
    axes.grid(alpha=0.3, axis=grid)
    axes.spines[["top", "right"]].set_visible(False)


def save_figure(figure: Figure, path: Path, dpi: int = 150) -> None:
    """Write a figure as PNG, or as SVG if ``path`` ends so, whole or not at all. The same figure has the same bytes."""
    with whole_file(path) as temporary:
        if path.suffix == ".svg":
            with rc_context({"svg.hashsalt": "limr"}):  # otherwise ids are random
                figure.savefig(temporary, format="svg", metadata={"Date": None, "Creator": None})
        else:
            figure.savefig(temporary, format="png", dpi=dpi, metadata={"Software": None})
