"""Properties of several methods: what must not change scores, which prompts tie, and degenerate trajectories."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused
from some_curves import curves_with_gaps, mean_curve, pool_of, scores_of, whole_curves

from limr.selection.method import Pool, Scores, needs_trajectories, option_names, run_method, score_names
from limr.trajectories import Trajectories

METHODS = [name for name in score_names() if needs_trajectories(name)]
OF_A_PROMPT_ALONE = [name for name in METHODS if name not in ("lim", "cosine", "pearson")]
SYMMETRIC = ["standard_deviation", "learnability", "pass_rate_band", "zero_variance", "greso", "mopps"]


def varied(curves) -> bool:
    """Whether the mean curve varies, so that every method can score."""
    mean = mean_curve(whole_curves(curves, "drop"))
    return max(mean) - min(mean) > 1e-9


RENAMED = [name for name in METHODS if name != "rand_solvable"]  # its numbers are drawn from the names
several_visits = curves_with_gaps(lowest_visits=2).filter(varied)


def test_every_method_of_trajectories_has_the_option_missing():
    assert METHODS
    assert all("missing" in option_names(method) for method in METHODS)


def scores_of_each(methods, pool: Pool) -> dict[str, Scores]:
    return {method: run_method(method, pool, {}) for method in methods}


@given(several_visits, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(curves, order: random.Random):
    pool = pool_of(curves)
    rows = list(range(len(pool.trajectories)))
    order.shuffle(rows)
    shuffled = replace(pool, trajectories=Trajectories.from_frame(pool.trajectories.frame()[rows]))
    assert scores_of_each(METHODS, shuffled) == scores_of_each(METHODS, pool), "to the last bit"


@given(several_visits)
def test_the_names_of_prompts_do_not_matter(curves):
    new_names = {name: f"q{99 - int(name[1:])}" for name in curves}  # sorted the other way round
    renamed = pool_of({new_names[name]: curve for name, curve in curves.items()})
    for method, result in scores_of_each(RENAMED, pool_of(curves)).items():
        expected = {new_names[name]: score for name, score in result.scores.items()}
        assert run_method(method, renamed, {}).scores == pytest.approx(expected, abs=1e-9), method


@given(several_visits)
def test_other_prompts_do_not_matter_for_methods_without_a_mean_curve(curves):
    whole = whole_curves(curves, "drop")
    some = dict(list(whole.items())[::2])
    among_some = scores_of_each(OF_A_PROMPT_ALONE, pool_of(some))
    for method, result in scores_of_each(OF_A_PROMPT_ALONE, pool_of(whole)).items():
        expected = {name: score for name, score in result.scores.items() if name in some}
        assert among_some[method].scores == expected, f"{method}: to the last bit"


@given(several_visits)
def test_symmetric_methods_do_not_distinguish_correct_from_wrong(curves):
    mirrored = {name: [None if value is None else 1 - value for value in curve] for name, curve in curves.items()}
    of_mirrored = scores_of_each(SYMMETRIC, pool_of(mirrored))
    for method, result in scores_of_each(SYMMETRIC, pool_of(curves)).items():
        assert of_mirrored[method].scores == pytest.approx(result.scores, abs=1e-12), method


@given(several_visits, st.floats(0.01, 100), st.floats(-100, 100))
def test_affine_maps_of_the_rewards_keep_the_scores_that_ignore_them(curves, scale, shift):
    """A correlation ignores them; a cosine ignores the scale; a standard deviation and a slope ignore the shift."""
    pool = pool_of(curves)
    mapped = replace(pool, trajectories=replace(pool.trajectories, mean_reward=scale * pool.trajectories.mean_reward))
    shifted = replace(
        pool, trajectories=replace(mapped.trajectories, mean_reward=mapped.trajectories.mean_reward + shift)
    )
    reward = {"signal": "reward"}
    for method, other, factor in (
        ("pearson", shifted, 1),
        ("cosine", mapped, 1),
        ("standard_deviation", shifted, scale),
        ("slope", shifted, scale),
    ):
        scores = run_method(method, pool, reward).scores
        expected = {name: factor * score for name, score in scores.items()}
        assert run_method(method, other, reward).scores == pytest.approx(expected, abs=1e-8 * max(1, factor))


def scores_in_order(method: str, curves: np.ndarray) -> list[float]:
    """Scores of curves of accuracies, in their order."""
    return list(scores_of(method, {f"{row:03}": curve.tolist() for row, curve in enumerate(curves)}).values())


@pytest.mark.parametrize("method", ["mopps", "pass_rate_band", "learnability"])
def test_a_curve_and_its_mirror_image_about_one_half_tie(method):
    curves = np.random.default_rng(0).integers(0, 7, size=(50, 17)) / 6
    assert scores_in_order(method, curves) == scores_in_order(method, 1 - curves), "equal without rounding errors"


@pytest.mark.parametrize("method", ["mopps", "pass_rate_band", "learnability", "prioritised", "zero_variance"])
def test_the_same_accuracies_at_other_visits_tie(method):
    curves = np.random.default_rng(1).integers(0, 7, size=(50, 17)) / 6
    assert scores_in_order(method, curves) == scores_in_order(method, curves[:, ::-1])


@pytest.mark.parametrize(
    ("method", "tied"),
    [
        ("lim", lambda curves: 1 - curves),  # the mean curve of both halves together is 1/2
        ("linear", lambda curves: 1 - curves[:, ::-1]),  # the line has the same mirror image
        ("slope", lambda curves: 1 - curves[:, ::-1]),
        ("standard_deviation", lambda curves: curves[:, ::-1]),
        ("cosine", lambda curves: curves / 2 + 1 / 4),  # half the reward: the same direction
        ("pearson", lambda curves: curves / 2 + 1 / 3),
    ],
)
def test_curves_with_equal_scores_tie_despite_rounding_errors(method, tied):
    curves = np.random.default_rng(2).integers(0, 7, size=(50, 17)) / 6
    scores = scores_in_order(method, np.concatenate([curves, tied(curves)]))
    assert scores[:50] == scores[50:]


@pytest.mark.parametrize("method", METHODS)
def test_unknown_accuracies_are_an_error_and_never_a_score(method):
    rewards = Trajectories.from_curves(rewards={"a": [-1.0, 0.5, 1.0], "b": [-1.0, -1.0, 0.0]})
    pool = Pool(["a", "b"], rewards, 0)
    signal = {"signal": "accuracy"} if "signal" in option_names(method) else {}
    with refused(where="trajectories", what="accuracy is known for 0 of 6 visits, mean_reward for all"):
        run_method(method, pool, signal)
    if signal:
        assert np.isfinite(list(run_method(method, pool, {"signal": "reward"}).scores.values())).all()


ALL_SOLVED = {"a": [1.0, 1.0], "b": [1.0, 1.0]}
NEVER_SOLVED = {"a": [0.0, 0.0], "b": [0.0, 0.0]}
CONSTANT = {"a": [0.25, 0.25], "b": [0.75, 0.75]}
ONE_PROMPT = {"a": [0.25, 0.75]}
ONE_VISIT = {"a": [0.25], "b": [0.75]}


@pytest.mark.parametrize(
    ("method", "options", "curves", "expected"),
    [
        ("lim", {}, NEVER_SOLVED, {"a": 1, "b": 1}),  # they are the mean curve
        ("lim", {}, CONSTANT, {"a": 0.75, "b": 0.75}),
        ("lim", {}, ONE_PROMPT, {"a": 1}),
        ("cosine", {}, ALL_SOLVED, {"a": 1, "b": 1}),
        ("cosine", {}, NEVER_SOLVED, {"a": 1, "b": 1}),  # rewards of -1 at every visit
        ("cosine", {}, ONE_PROMPT, {"a": 1}),
        ("cosine", {"signal": "accuracy"}, ONE_VISIT, {"a": 1, "b": 1}),
        ("pearson", {}, ONE_PROMPT, {"a": 1}),
        ("standard_deviation", {}, ALL_SOLVED, {"a": 0, "b": 0}),
        ("standard_deviation", {}, CONSTANT, {"a": 0, "b": 0}),
        ("standard_deviation", {}, ONE_VISIT, {"a": 0, "b": 0}),
        ("learnability", {}, ALL_SOLVED, {"a": 0, "b": 0}),
        ("learnability", {}, ONE_VISIT, {"a": 0.1875, "b": 0.1875}),
        ("pass_rate_band", {}, ALL_SOLVED, {"a": -0.2, "b": -0.2}),
        ("pass_rate_band", {}, NEVER_SOLVED, {"a": -0.2, "b": -0.2}),
        ("pass_rate_band", {}, ONE_VISIT, {"a": 0.05, "b": 0.05}),
        ("zero_variance", {}, ALL_SOLVED, {"a": 0, "b": 0}),
        ("zero_variance", {}, NEVER_SOLVED, {"a": 0, "b": 0}),
        ("zero_variance", {}, ONE_VISIT, {"a": 1, "b": 1}),
        ("slope", {}, CONSTANT, {"a": 0, "b": 0}),
        ("greso", {}, ALL_SOLVED, {"a": 0.25, "b": 0.25}),
        ("greso", {}, NEVER_SOLVED, {"a": 0.25, "b": 0.25}),
        ("greso", {}, ONE_VISIT, {"a": 1, "b": 1}),
        ("mopps", {"target": 1}, ALL_SOLVED, {"a": -2 / (18 * 19), "b": -2 / (18 * 19)}),  # E (1 - x)^2 of Beta(17, 1)
        ("prioritised", {}, ALL_SOLVED, {"a": 0, "b": 0}),
        ("prioritised", {}, NEVER_SOLVED, {"a": 1, "b": 1}),
        ("prioritised", {}, ONE_PROMPT, {"a": 0.5}),
    ],
)
def test_degenerate_trajectories_have_scores(method, options, curves, expected):
    assert scores_of(method, curves, **options) == pytest.approx(expected, abs=1e-12)
