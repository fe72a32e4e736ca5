"""The power of the paired t test against simulation, a published table and its own inverse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from limr.report.power import main, power, smallest_difference


@pytest.mark.parametrize(("difference", "seeds"), [(0.5, 3), (1.2375, 9), (3.9234, 3), (0.0, 9)])
def test_the_power_is_the_share_of_simulated_experiments_that_find_the_difference(difference, seeds):
    drawn = np.random.default_rng(0).normal(difference, 1.0, (40_000, seeds))
    found = stats.ttest_1samp(drawn, 0.0, axis=1).pvalue < 0.05
    assert power(difference, 1.0, seeds) == pytest.approx(found.mean(), abs=0.007)


def test_the_numbers_of_cohens_tables():
    """A medium effect (0.5) takes 34 pairs for 80 % power, a large one (0.8) 15 (G*Power 3.1, two-sided, 5 %)."""
    for effect, pairs in ((0.5, 34), (0.8, 15)):
        assert power(effect, 1.0, pairs) >= 0.8 > power(effect, 1.0, pairs - 1)


@given(st.floats(0.01, 50), st.integers(2, 200), st.sampled_from([0.5, 0.8, 0.9, 0.99]))
def test_the_smallest_difference_has_exactly_the_power_asked_for(spread, seeds, chance):
    found = smallest_difference(spread, seeds, chance)
    assert power(found, spread, seeds) == pytest.approx(chance, abs=1e-6)


def test_the_command_prints_the_smallest_difference(capsys):
    main(["0.72", "9"])
    assert capsys.readouterr().out == (
        "9 seeds find a difference of 0.891 with 90 % power: two-sided paired t test at 5 %, spread 0.72.\n"
    )


@pytest.mark.parametrize("arguments", [["0", "9"], ["1", "1"], ["nan", "9"], ["1", "x"]])
def test_the_command_refuses_what_has_no_power(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert f"found {arguments[0 if arguments[1] == '9' else 1]}, expected" in capsys.readouterr().err
