"""The axis of scores: its range and its bins."""

import numpy as np
import pytest

from limr.report.style import edges_around, lowest_shown


def test_the_lowest_hundredth_is_left_out_only_if_it_would_take_half_of_the_axis():
    scores = np.linspace(0.05, 0.95, 300)
    assert lowest_shown(scores, theta=0.8) == pytest.approx(0.05)
    assert lowest_shown(np.append(scores, 0.0), theta=0.8) == pytest.approx(0.0)
    assert 0 < lowest_shown(np.append(scores, -40.0), theta=0.8) < 0.1
    assert lowest_shown(np.append(scores, -40.0), theta=-1.0) == pytest.approx(-1.0), "theta is always shown"


@pytest.mark.parametrize(("theta", "low", "high"), [(0.3, 0.0, 1.0), (1.0, 0.0, 1.0), (0.0, 0.0, 1.0), (0.5, 0.5, 0.5)])
def test_bins_have_an_edge_at_theta_and_hold_every_score(theta, low, high):
    edges = edges_around(theta, low, high, bins=7)
    assert theta in edges
    assert edges[0] <= low and high < edges[-1]
