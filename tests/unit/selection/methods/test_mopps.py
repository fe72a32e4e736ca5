"""MoPPS: against the moments of the posterior in plain Python, and against draws from it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused
from some_curves import GRAIN, assert_follows, curves_with_gaps, missing_visits, scores_of

from limr.selection.methods.mopps import mopps, posterior
from limr.selection.methods.pass_rate_band import pass_rate_band


@given(curves_with_gaps(), missing_visits, st.floats(0, 1), st.floats(0, 1))
def test_scores_are_the_expected_squared_distance_of_the_posterior_from_the_target(curves, missing, target, discount):
    def formula(curve):
        alpha = beta = 1.0
        for accuracy in curve:
            alpha = discount * alpha + (1 - discount) * 1 + GRAIN * accuracy
            beta = discount * beta + (1 - discount) * 1 + (GRAIN - GRAIN * accuracy)
        total = alpha + beta
        first, second = alpha / total, alpha * (alpha + 1) / (total * (total + 1))  # moments of a Beta distribution
        return -(second - 2 * target * first + target**2)

    assert_follows("mopps", curves, formula, missing, target=target, discount=discount)


def test_scores_are_the_mean_loss_of_draws_from_the_posterior():
    curves = np.array([[0.25, 0.5], [0.0, 0.0], [1.0, 0.5]])
    alpha, beta = posterior(curves, GRAIN, 0.5)
    draws = np.random.default_rng(0).beta(alpha, beta, size=(200_000, 3))
    losses = (draws - 0.5) ** 2
    scores = mopps(curves, GRAIN, discount=0.5)
    assert (np.abs(-losses.mean(axis=0) - scores) < 5 * losses.std(axis=0) / np.sqrt(len(draws))).all()


def test_without_discount_the_posterior_counts_correct_and_wrong_samples():
    alpha, beta = posterior(np.array([[0.25, 0.5]]), 8, 1.0)
    assert (alpha.tolist(), beta.tolist()) == ([1 + 2 + 4], [1 + 6 + 4])


def test_with_their_defaults_mopps_and_the_pass_rate_band_rank_alike():
    """Both rank by the distance of the mean accuracy from a half; prompts that tie in one tie in the other."""
    curves = np.random.default_rng(2).integers(0, 5, size=(200, 17)) / 4
    of_mopps, of_band = (
        np.unique(scores, return_inverse=True)[1] for scores in (mopps(curves, 8), pass_rate_band(curves))
    )
    assert of_mopps.tolist() == of_band.tolist()


@pytest.mark.parametrize(
    ("options", "found"), [({"target": True}, "true"), ({"discount": float("inf")}, "Infinity"), ({"target": 2}, "2")]
)
def test_wrong_values_of_options_are_refused(options, found):
    (name,) = options
    with refused(where=("score 'mopps'", f"option {name}"), found=found, expected="a number from 0 to 1"):
        scores_of("mopps", {"a": [0.5, 0.5]}, **options)
