"""The look of each method in the figures: colour, marker and line style, which no other method shares."""

from collections.abc import Iterable
from dataclasses import dataclass

# The palette of Okabe and Ito, which colour-blind readers can distinguish, without its yellow: too pale for a line.
_COLOURS = ("#000000", "#E69F00", "#009E73", "#0072B2", "#CC79A7", "#56B4E9", "#D55E00")
_MARKERS = "os^DvPX*p<>"  # 11 markers and 7 colours make 77 different pairs, as neither number divides the other
_LINES = ("-", "--", "-.", ":")
_FIRST = ("full", "rand", "linear", "lim")  # the paper's methods look the same in every configuration


@dataclass(frozen=True)
class Look:
    """How a method is drawn. Markers and line styles are for readers and printers without colours."""

    colour: str
    marker: str
    line: str


def method_looks(methods: Iterable[str]) -> dict[str, Look]:
    """Method -> its look. With the same ``methods``, those of the configuration, it is the same in every figure.

    >>> method_looks(["full", "mine"])["mine"] == method_looks(["full", "lim", "mine"])["mine"]
    True
    >>> method_looks(["full"])["full"]
    Look(colour='#000000', marker='o', line='-')
    """
    order = dict.fromkeys([*_FIRST, *methods])
    return {method: _look(number) for number, method in enumerate(order)}


def _look(number: int) -> Look:
    return Look(
        colour=_COLOURS[number % len(_COLOURS)],
        marker=_MARKERS[number % len(_MARKERS)],
        line=_LINES[number // len(_COLOURS) % len(_LINES)],
    )
