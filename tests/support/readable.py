"""Whether a figure can be read at the width of a journal's column."""

from collections.abc import Iterator
from itertools import combinations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

SMALLEST = 7  # points


def assert_readable(figure: Figure) -> None:
    """Raise AssertionError unless the figure is 85 mm wide and its texts are large, inside it and apart."""
    assert figure.get_figwidth() * 25.4 == pytest.approx(85)
    FigureCanvasAgg(figure).draw()
    texts = {text: text.get_window_extent() for text in _visible(figure)}
    assert texts
    assert {text.get_text(): text.get_fontsize() for text in texts if text.get_fontsize() < SMALLEST} == {}
    assert [text.get_text() for text, box in texts.items() if not _inside(box, figure.bbox)] == []
    overlapping = [pair for pair in combinations(texts, 2) if texts[pair[0]].overlaps(texts[pair[1]])]
    assert [(first.get_text(), second.get_text()) for first, second in overlapping] == []


def _visible(figure: Figure) -> Iterator[Text]:
    """The texts that are drawn: an axis also keeps labels of ticks that lie outside of it."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if not low <= tick.get_loc() <= high:
                    tick.label1.set_visible(False)
    yield from (text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible())


def _inside(box: Bbox, outer: Bbox) -> bool:
    return outer.x0 - 1 <= box.x0 and box.x1 <= outer.x1 + 1 and outer.y0 - 1 <= box.y0 and box.y1 <= outer.y1 + 1
