"""Prompts that a method cannot tell apart have one score, not two that differ by rounding."""

import numpy as np
import pytest

from limr.selection.method import Pool, run_method
from limr.trajectories import Trajectories


def scores(method: str, curves: np.ndarray) -> np.ndarray:
    named = {f"{number:03}": curve.tolist() for number, curve in enumerate(curves)}
    return np.array(
        list(run_method(method, Pool(sorted(named), Trajectories.from_curves(accuracies=named), 0), {}).scores.values())
    )


@pytest.mark.parametrize("method", ["mopps", "pass_rate_band", "learnability"])
def test_a_curve_and_its_mirror_image_about_one_half_tie(method):
    curves = np.random.default_rng(0).integers(0, 7, size=(50, 17)) / 6
    assert scores(method, curves).tolist() == scores(method, 1 - curves).tolist()


@pytest.mark.parametrize("method", ["mopps", "pass_rate_band", "learnability", "prioritised", "zero_variance"])
def test_the_same_accuracies_at_other_visits_tie(method):
    curves = np.random.default_rng(1).integers(0, 7, size=(50, 17)) / 6
    assert scores(method, curves).tolist() == scores(method, curves[:, ::-1]).tolist()


def test_mopps_and_the_band_rank_alike_by_the_distance_from_a_half():
    curves = np.random.default_rng(2).integers(0, 5, size=(200, 17)) / 4
    mopps, band = (np.unique(scores(method, curves), return_inverse=True)[1] for method in ("mopps", "pass_rate_band"))
    assert mopps.tolist() == band.tolist()
