"""What the tables and figures share: titles and colours of methods, numbers as text, figures as files."""

from pathlib import Path
from zlib import crc32

from matplotlib.figure import Figure

from limr.files.atomic import whole_file
from limr.report.bootstrap import Interval

BASE = "base"

# Okabe and Ito's palette, told apart by the colour-blind
_COLOURS = {"full": "#000000", "rand": "#E69F00", "linear": "#009E73", "lim": "#0072B2"}
_OTHER_COLOURS = ("#CC79A7", "#D55E00", "#56B4E9", "#F0E442")


def method_title(method: str) -> str:
    """How a method is called in tables and figures.

    >>> method_title("lim"), method_title("base"), method_title("standard_deviation")
    ('LIM', 'Base model', 'STANDARD DEVIATION')
    """
    return "Base model" if method == BASE else method.upper().replace("_", " ")


def method_colour(method: str) -> str:
    """The colour of a method: the same in every figure, whichever methods stand beside it."""
    return _COLOURS.get(method) or _OTHER_COLOURS[crc32(method.encode()) % len(_OTHER_COLOURS)]


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


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all; the same figure gives the same bytes."""
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150, metadata={"Software": None})
