"""LIM, LINEAR, RAND and FULL: against independent versions, and what must not change their scores."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_curves import Curves, curves_with_gaps, mean_curve, pool_of, whole_curves

from limr.errors import LimrError
from limr.selection.method import Pool, method_summary, needs_trajectories, run_method, score_method, score_names
from limr.selection.methods.full import full
from limr.selection.methods.lim import lim
from limr.selection.methods.linear import linear
from limr.selection.methods.rand import rand
from limr.trajectories import Trajectories


def brute_force(curves: Curves, missing: str, line: bool = False) -> dict[str, float]:
    """The formula of the paper in plain Python, one sum at a time, of rewards 2 a - 1; of accuracies for the line."""
    whole = whole_curves(curves, missing)
    n_visits = len(next(iter(curves.values())))
    if line:
        target = [k / (n_visits - 1) for k in range(n_visits)]
    else:
        whole = {prompt_id: [2 * value - 1 for value in curve] for prompt_id, curve in whole.items()}
        target = mean_curve(whole)
    scores = {}
    for prompt_id, curve in whole.items():
        above = sum((curve[k] - target[k]) ** 2 for k in range(n_visits))
        below = sum((1 - target[k]) ** 2 for k in range(n_visits))
        scores[prompt_id] = 1 - above / below
    return scores


@given(curves_with_gaps(), st.sampled_from(["drop", "next"]))
def test_lim_equals_a_brute_force_version(curves, missing):
    result = lim(pool_of(curves), missing=missing)
    expected = brute_force(curves, missing)
    assert result.scores == pytest.approx(expected, abs=1e-12, rel=1e-12)
    has_trajectory = {prompt_id for prompt_id, curve in curves.items() if set(curve) != {None}}
    assert set(result.dropped) == has_trajectory - set(expected), "dropped with a reason, or scored"


@given(curves_with_gaps(), st.sampled_from(["drop", "next"]))
def test_linear_equals_a_brute_force_version(curves, missing):
    if len(curves["p00"]) > 1:
        expected = brute_force(curves, missing, line=True)
        assert linear(pool_of(curves), missing=missing).scores == pytest.approx(expected, abs=1e-12, rel=1e-12)


@given(curves_with_gaps(), st.randoms(use_true_random=False))
def test_lim_does_not_depend_on_the_order_of_rows(curves, order: random.Random):
    pool = pool_of(curves)
    rows = list(range(len(pool.trajectories)))
    order.shuffle(rows)
    shuffled = Trajectories.from_frame(pool.trajectories.frame()[rows])
    assert lim(Pool(pool.prompt_ids, shuffled, 0)) == lim(pool), "to the last bit"


@given(curves_with_gaps(), st.floats(0.01, 100))
def test_lim_does_not_change_under_an_affine_map_of_the_rewards_that_fixes_1(curves, scale):
    pool = pool_of(curves)
    mapped = replace(pool.trajectories, mean_reward=1 - scale * (1 - pool.trajectories.mean_reward))
    assert lim(Pool(pool.prompt_ids, mapped, 0)).scores == pytest.approx(lim(pool).scores, abs=1e-9)
    # rewards 2 a - 1 are such a map of accuracies
    assert lim(pool, signal="accuracy").scores == pytest.approx(lim(pool).scores, abs=1e-9)


@given(curves_with_gaps())
def test_a_prompt_solved_at_every_visit_scores_0_and_no_score_exceeds_1(curves):
    scores = lim(pool_of(curves | {"solved": [1.0] * len(curves["p00"])})).scores
    assert scores["solved"] == pytest.approx(0, abs=1e-12)
    assert max(scores.values()) <= 1


def test_lim_refuses_a_mean_curve_that_is_1_at_every_visit():
    with pytest.raises(LimrError, match=r"the mean reward is 1 at every visit.*denominator is 0"):
        lim(pool_of({"a": [1.0, 1.0], "b": [1.0, 1.0]}))


@given(curves_with_gaps(), st.floats(0.01, 100), st.floats(-10, 10))
def test_lim_with_another_best_reward_is_lim_of_the_rewards_mapped_to_it(curves, scale, best):
    pool = pool_of(curves)
    mapped = replace(pool.trajectories, mean_reward=best - scale * (1 - pool.trajectories.mean_reward))
    scores = lim(Pool(pool.prompt_ids, mapped, 0), best_reward=best).scores
    assert scores == pytest.approx(lim(pool).scores, abs=1e-9)


def test_lim_refuses_rewards_above_the_best_and_says_what_to_do():
    rewards = {"a": [0.0, 5.0], "b": [0.0, 2.0]}
    pool = Pool(["a", "b"], Trajectories.from_curves(rewards=rewards), 0)
    with pytest.raises(
        LimrError, match=r"prompt a, visit 1: found a mean reward of 5, expected at most 1.*best_reward"
    ):
        lim(pool)
    assert lim(pool, best_reward=5).scores == pytest.approx({"a": 1 - 2.25 / 27.25, "b": 1 - 2.25 / 27.25})


def test_lim_refuses_a_mean_curve_that_differs_from_the_best_by_rounding_alone():
    always = {name: [0.7, 0.7] for name in "abc"}
    assert sum([0.7] * 3) / 3 != 0.7
    with pytest.raises(LimrError, match=r"the mean reward is 0\.7 at every visit"):
        lim(Pool(sorted(always), Trajectories.from_curves(rewards=always), 0), best_reward=0.7)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"signal": "accuracy", "best_reward": 2}, "an accuracy is 1 at best"),
        ({"best_reward": "5"}, "option best_reward: found '5', expected a number"),
        ({"best_reward": float("nan")}, "option best_reward: found nan, expected a number"),
        ({"signal": "rewards"}, "option signal: found 'rewards', expected one of reward, accuracy"),
        ({"missing": "fill"}, "option missing: found 'fill', expected one of drop, next"),
    ],
)
def test_lim_refuses_options_that_make_no_sense(options, message):
    with pytest.raises(LimrError, match=message):
        lim(pool_of({"a": [0.5]}), **options)


def test_lim_scores_one_visit_and_one_prompt():
    assert lim(pool_of({"a": [0.5], "b": [1.0]})).scores == pytest.approx({"a": 0.0, "b": 0.0})
    assert lim(pool_of({"a": [0.5, 0.25]})).scores == {"a": 1.0}, "a lone prompt is its own mean"


def test_linear_refuses_a_single_visit():
    with pytest.raises(LimrError, match="one visit only"):
        linear(pool_of({"a": [0.5]}))


def test_rand_depends_on_the_ids_and_the_seed_only():
    ids = [f"p{i}" for i in range(50)]
    scores = rand(Pool(ids, None, 3)).scores
    assert rand(Pool(ids[::-1], None, 3)).scores == scores
    assert rand(Pool(ids[:10], None, 3)).scores == {name: scores[name] for name in ids[:10]}
    assert all(rand(Pool(ids, None, 4)).scores[name] != scores[name] for name in ids)


def test_rand_is_uniform_and_not_correlated_between_seeds():
    ids = [str(i) for i in range(20_000)]
    first, second = (np.array(list(rand(Pool(ids, None, seed)).scores.values())) for seed in (0, 1))
    # 5 standard errors each
    assert abs(first.mean() - 0.5) < 5 * np.sqrt(1 / 12 / len(ids))
    assert (np.abs(np.histogram(first, 10, (0, 1))[0] - 2000) < 5 * np.sqrt(1800)).all()
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / np.sqrt(len(ids))


def test_full_scores_every_prompt_alike():
    assert full(Pool(["a", "b"], None, 0)).scores == {"a": 1.0, "b": 1.0}


def test_the_methods_are_known_by_name():
    assert {"lim", "linear", "rand", "full"} <= set(score_names())
    assert [needs_trajectories(name) for name in ("lim", "linear", "rand", "full")] == [True, True, False, False]


def test_an_unknown_score_lists_those_known():
    with pytest.raises(LimrError, match=r"unknown score 'limr'; known are .*full, .*lim, linear, .*rand"):
        needs_trajectories("limr")


def test_an_unknown_option_lists_those_known():
    with pytest.raises(LimrError, match=r"'lim': unknown option 'theta'; it takes signal, missing, best_reward"):
        run_method("lim", pool_of({"a": [0.5]}), {"theta": 0.6})
    with pytest.raises(LimrError, match=r"'rand': unknown option 'seed'; it takes no option"):
        run_method("rand", pool_of({"a": [0.5]}), {"seed": 1})


def test_a_method_that_needs_trajectories_says_so():
    with pytest.raises(LimrError, match="'lim' needs trajectories"):
        run_method("lim", Pool(["a"], None, 0), {})


def test_every_method_says_in_a_sentence_what_it_does():
    summaries = {name: method_summary(name) for name in score_names()}
    assert all(summary.endswith(".") and len(summary) < 120 for summary in summaries.values())
    assert len(set(summaries.values())) == len(summaries)
    with pytest.raises(LimrError, match="unknown score 'limr'"):
        method_summary("limr")


def test_two_methods_of_one_name_are_a_mistake_in_the_program():
    with pytest.raises(ValueError, match="'lim' is defined twice"):
        score_method("lim", needs_trajectories=True)(lim)
