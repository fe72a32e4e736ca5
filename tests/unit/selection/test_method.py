"""The registry of score methods: names, options, the inputs of a decorated function, and NaN scores."""

import inspect
import pickle

import numpy as np
import pytest
from refusals import refused
from some_curves import pool_of

from limr.errors import LimrError
from limr.selection import method as registry
from limr.selection.method import (
    Pool,
    check_options,
    find_method,
    needs_trajectories,
    option_names,
    parse_options,
    run_method,
    score_method,
    score_names,
)
from limr.selection.methods.lim import lim
from limr.selection.options import OptionsError, Share
from limr.selection.reason import Reason
from limr.trajectories import Trajectories

CURVES = {"a": [0.0, 1.0], "b": [0.5, 0.25], "short": [0.5, None]} | {f"p{i:02}": [0.5, 0.5] for i in range(20)}


@pytest.fixture
def own_methods(monkeypatch):
    """Remove the methods that a test defines after it."""
    monkeypatch.setattr(registry, "_METHODS", dict(registry._methods()))
    monkeypatch.setattr(registry, "_methods", lambda: registry._METHODS)


def test_the_papers_methods_are_known_and_the_baselines_need_no_trajectories():
    assert {"lim", "linear", "rand", "full"} <= set(score_names())
    assert [needs_trajectories(name) for name in ("lim", "linear", "rand", "full")] == [True, True, False, False]


def test_an_unknown_score_lists_the_known_ones():
    for ask in (needs_trajectories, option_names, find_method):
        with refused(what="unknown score 'limr'", expected=", ".join(score_names())):
            ask("limr")


def test_an_unknown_option_lists_the_known_ones():
    parts = {"where": "score 'lim'", "what": "unknown option 'theta'", "expected": "signal, missing, best_reward"}
    with refused(**parts):
        run_method("lim", pool_of({"a": [0.5]}), {"theta": 0.6})
    with refused(**parts):
        parse_options("lim", {"theta": "0.6"})
    with refused(where="score 'rand'", what="unknown option 'seed'", expected="no option"):
        run_method("rand", pool_of({"a": [0.5]}), {"seed": 1})


def test_options_of_a_command_line_become_values_and_wrong_ones_are_refused():
    texts = {"target": "0.3", "discount": "1", "missing": "next"}
    assert parse_options("mopps", texts) == {"target": 0.3, "discount": 1.0, "missing": "next"}
    with refused(where=("score 'mopps'", "option target"), found='"high"', expected="a number from 0 to 1"):
        parse_options("mopps", {"target": "high"})
    with refused(where=("score 'mopps'", "option target"), found="2.0", expected="a number from 0 to 1"):
        parse_options("mopps", {"target": "2"})


def test_options_that_contradict_each_other_are_refused_before_there_are_curves():
    for name in score_names():
        check_options(name, {})
    with refused(OptionsError, where="option best_reward", found="2", expected="1, the highest accuracy") as raised:
        check_options("lim", {"signal": "accuracy", "best_reward": 2})
    assert raised.value.option == "best_reward"
    assert pickle.loads(pickle.dumps(raised.value)).render() == raised.value.render()
    with refused(OptionsError, where="option lowest", found="0.2", expected="less than highest, 0.1"):
        check_options("pass_rate_band", {"highest": 0.1})
    check_options("lim", {"best_reward": 0.5})  # below a reward of the example curves, which are not the run's


def test_a_method_that_fails_on_example_curves_is_not_refused(own_methods):
    @score_method("failing", signals=("reward",))
    def failing(values, *, scale: float = 1.0):
        raise ValueError("these curves are too short")

    check_options("failing", {"scale": 2.0})


def test_only_methods_with_several_signals_have_the_option_signal():
    signals = {name: find_method(name).signals for name in score_names()}
    assert {name for name in signals if "signal" in option_names(name)} == {
        "lim", "cosine", "pearson", "standard_deviation", "slope"
    }  # fmt: skip
    assert all(find_method(name).options["signal"].default == signals[name][0] for name in ("lim", "slope"))
    with refused(where="score 'slope'", what="unknown option 'signals'"):
        run_method("slope", pool_of(CURVES), {"signals": "reward"})


def test_a_method_that_needs_trajectories_is_refused_without_them():
    with refused(where="score 'lim'", what="needs trajectories", advice="Run the probe first"):
        run_method("lim", Pool(["a"], None, 0), {})


def test_every_method_has_a_summary_of_one_sentence():
    summaries = [inspect.getdoc(find_method(name).function).partition("\n")[0] for name in score_names()]
    assert all(summary.endswith(".") and len(summary) < 120 for summary in summaries)
    assert len(set(summaries)) == len(summaries)


def test_a_method_gets_the_inputs_that_its_parameters_name(own_methods):
    seen = {}

    @score_method("all_inputs", signals=("accuracy", "reward"))
    def all_inputs(values, prompt_ids, signal, n_samples, seed, *, share: Share = 0.5):
        seen.update(values=values, prompt_ids=prompt_ids, signal=signal, n_samples=n_samples, seed=seed, share=share)
        return values[:, 0]

    pool = pool_of(CURVES, seed=7)
    found = run_method("all_inputs", pool, {"signal": "reward", "missing": "drop", "share": 0.25})
    whole = [name for name in sorted(CURVES) if name != "short"]
    assert (seen["prompt_ids"], seen["signal"], seen["n_samples"], seen["seed"], seen["share"]) == (
        whole, "reward", 8, 7, 0.25
    )  # fmt: skip
    assert seen["values"].tolist() == [[2 * accuracy - 1 for accuracy in CURVES[name]] for name in whole]
    assert found.scores == {name: 2 * CURVES[name][0] - 1 for name in whole}
    assert found.dropped == {"short": Reason("missing visits", "1 of 0 to 1")}
    assert option_names("all_inputs") == ["signal", "missing", "share"]


def test_a_prompt_with_score_nan_gets_the_reason_of_the_method(own_methods):
    @score_method("rises", signals=("accuracy",), nan_means="the {signal} does not rise")
    def rises(values):
        rise = values[:, -1] - values[:, 0]
        return np.where(rise > 0, rise, np.nan)

    found = run_method("rises", pool_of(CURVES), {})
    assert found.scores == {"a": 1.0}
    assert found.dropped["b"] == Reason("the accuracy does not rise")
    assert found.dropped["short"].kind == "missing visits"


def test_the_errors_of_a_method_name_it_and_its_signal(own_methods):
    @score_method("refuses", signals=("accuracy",))
    def refuses(values):
        raise LimrError("too few", where="visit 3")

    with refused(where=("score 'refuses' of accuracy curves", "visit 3"), what="too few"):
        run_method("refuses", pool_of(CURVES), {})


def test_mistakes_in_the_definition_of_a_method_are_errors_at_once(own_methods):
    with pytest.raises(ValueError, match="'lim' is defined twice"):
        score_method("lim", signals=("reward",))(lim)
    with pytest.raises(ValueError, match="'other': found input 'curve', expected one of values, prompt_ids"):
        score_method("other", signals=("reward",))(lambda curve: curve)
    with pytest.raises(ValueError, match="'other': found input 'values', expected one of prompt_ids, seed"):
        score_method("other")(lambda values: values)


def test_scores_are_in_the_order_of_sorted_prompts_for_any_order_of_rows():
    trajectories = Trajectories.from_curves(accuracies={"b": [1.0, 0.5], "a": [0.0, 0.5]})
    assert list(run_method("prioritised", Pool(["a", "b"], trajectories, 0), {}).scores) == ["a", "b"]
