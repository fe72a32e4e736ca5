"""The test for an effect of the worlds: against scipy, and where it is not defined."""

import numpy as np
import pytest
from scipy import stats

from limr.report.pooled_results import Pool
from limr.report.pooled_statistics import world_means, worlds_p

ONE, OTHER, CONSTANT = [0.1, 0.3, 0.2], [0.0, 0.4, -0.1], [0.2, 0.2, 0.2]


def pool(*sizes: int) -> Pool:
    """Worlds of these numbers of seeds."""
    world_of = np.repeat(np.arange(len(sizes)), sizes)
    return Pool(list(sizes), configuration={}, results={}, selected={}, outcomes={}, world_of=world_of)


def test_each_world_has_its_mean() -> None:
    assert world_means(pool(3, 3), ONE + OTHER) == pytest.approx([0.2, 0.1])


@pytest.mark.parametrize("other", [OTHER, CONSTANT])
def test_the_test_is_a_one_way_analysis_of_variance(other: list[float]) -> None:
    """Equal differences at all seeds of one world leave the spread within the other one."""
    assert worlds_p(pool(3, 3), ONE + other) == pytest.approx(stats.f_oneway(ONE, other).pvalue)


def test_the_test_takes_two_worlds_of_two_seeds_and_a_spread_within_one_of_them() -> None:
    assert worlds_p(pool(3), ONE) is None
    assert worlds_p(pool(3, 1), [*ONE, 0.5]) is None
    rounded = [0.3 - 0.1, 0.2, 0.4 - 0.2]
    assert np.ptp(rounded) > 0
    assert worlds_p(pool(3, 3), [*rounded, *rounded]) is None
