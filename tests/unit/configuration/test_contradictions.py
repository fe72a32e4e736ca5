"""Settings that contradict each other are refused, although each of them is valid by itself."""

import copy
from typing import Any

import pytest
from configurations import DEFAULT, PAPER, changed
from refusals import refused

from limr.configuration.check import check_configuration

HUB_MODEL = PAPER["base_model"]


@pytest.mark.parametrize(
    ("path", "value", "parts"),
    [
        (
            "training.mini_batch_size",
            20,
            {"found": "20", "expected": "a multiple of samples_per_prompt, 8", "advice": "whole prompts"},
        ),
        ("base_model.hidden_size", 63, {"found": "63", "expected": "a multiple of twice num_attention_heads, 2"}),
        ("base_model.hidden_size", 66, {"found": "66", "expected": "a multiple of twice num_attention_heads, 2"}),
        (
            "base_model.num_key_value_heads",
            3,
            {"where": "base_model.num_attention_heads", "found": "2", "expected": "multiple of num_key_value_heads, 3"},
        ),
        ("base_model.batch_size", 1, {"found": "1", "expected": "at least threads, 2"}),
        ("base_model.practice", 0.75, {"where": "base_model.guided", "found": "0.3", "expected": "at most 0.25"}),
        ("training.warmup_steps", 169, {"found": "169", "expected": "at most steps, 168"}),
        (
            "training.mini_batch_size",
            2048,
            {"found": "2048", "expected": "prompts_per_step x samples_per_prompt, 768"},
        ),
        ("benchmarks.synth_mid.title", "Synth-All", {"found": '"Synth-All"', "expected": "from that of synth_all"}),
        ("benchmarks.synth_mid.title", "SYNTH-ALL", {"found": '"SYNTH-ALL"', "expected": "from that of synth_all"}),
        ("benchmarks.synth_mid.title", "method", {"expected": "from the column Method of the table"}),
        ("benchmarks.synth_mid.title", "#questions", {"expected": "from the column #Questions of the table"}),
        ("benchmarks.synth_mid.title", "Average", {"found": '"Average"', "expected": "from the column Average"}),
        ("base_model", HUB_MODEL, {"what": "trains the miniature's own model only"}),
        (
            "data.pool",
            {"beyond": 0.7, "easy": 0.5},
            {"where": "data.pool.easy", "found": "0.5", "expected": "at most 0.3", "advice": "no problem is both"},
        ),
        (
            "base_model.reworded",
            0.0,
            {
                "where": "benchmarks.synth_reworded.wording",
                "what": "never reads the words",
                "found": "other",
                "advice": "`base_model.reworded`",
            },
        ),
        ("benchmarks.synth_all.samples", 2, {"found": "2", "expected": "1 at temperature 0", "advice": "the same"}),
        (
            "methods.lim.keep",
            {"share": 0.0001},
            {"where": "keep.share", "found": "0.0001", "expected": "at least one prompt of data.train, 768"},
        ),
        (
            "methods.lim.keep",
            {"top": 769},
            {"where": "keep.top", "found": "769", "expected": "at most data.train, 768"},
        ),
        (
            "methods.lim.keep",
            {"theta_for": 769},
            {"where": "keep.theta_for", "found": "769", "expected": "at most data.train, 768"},
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(path: str, value: Any, parts: dict[str, Any]) -> None:
    with refused(**{"where": path} | parts):
        check_configuration(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value", "parts"),
    [
        (
            "benchmarks.aime25",
            {"title": "AIME25", "samples": 1, "temperature": 0},
            {"what": "not a benchmark of `data.source: math`", "advice": "'aime24'"},
        ),
        ("benchmarks.math500.levels", [5], {"what": "for the miniature's benchmarks only"}),
        ("benchmarks.math500.wording", "other", {"what": "for the miniature's benchmarks only", "advice": "Remove"}),
        ("data.pool", {"broken": 0.1}, {"what": "unknown key"}),
        ("benchmarks.math500.samples", 4, {"found": "4", "expected": "1 at temperature 0"}),
        ("methods.rand.keep", {"top": 8524}, {"where": "keep.top", "found": "8524", "expected": "the 8,523 problems"}),
        ("methods.lim.keep", {"theta_for": 9999}, {"where": "keep.theta_for", "expected": "`data.prompts: published`"}),
        ("methods.lim.keep", {"share": 1e-5}, {"where": "keep.share", "expected": "at least one prompt of the 8,523"}),
        ("training", DEFAULT["training"], {"where": "training.engine", "found": "miniature", "expected": "openrlhf"}),
    ],
)
def test_settings_that_contradict_real_data_are_refused(path: str, value: Any, parts: dict[str, Any]) -> None:
    with refused(**{"where": path} | parts):
        check_configuration(changed(path, value, PAPER))


@pytest.mark.parametrize("key", ["problems", "levels"])
def test_a_benchmark_of_the_miniature_needs_the_settings_that_make_it(key: str) -> None:
    configuration = copy.deepcopy(DEFAULT)
    del configuration["benchmarks"]["synth_all"][key]
    with refused(where=f"benchmarks.synth_all.{key}", what="missing", expected="miniature only"):
        check_configuration(configuration)


def test_the_largest_shares_and_smallest_sizes_are_accepted() -> None:
    configuration = changed("methods.lim.keep", {"top": DEFAULT["data"]["train"]})
    configuration["methods"]["lim"]["options"] = {"signal": "accuracy", "missing": "next"}
    configuration["data"]["pool"] = {"broken": 1.0, "beyond": 0.5, "easy": 0.5}
    configuration["benchmarks"]["reworded"] = {
        "title": "Reworded", "problems": 9, "levels": [6, 1], "wording": "other", "samples": 1, "temperature": 0.0,
    }  # fmt: skip
    configuration["base_model"]["reworded"] = 0.1
    configuration["base_model"] |= {"practice": 0.55, "batch_size": configuration["base_model"]["threads"]}
    check_configuration(configuration)


def test_scores_of_a_probe_need_a_method_that_trains_on_all_prompts() -> None:
    configuration = copy.deepcopy(DEFAULT)
    del configuration["methods"]["full"]
    with refused(where="methods", what="no method trains on all prompts", advice="Add a row `full"):
        check_configuration(configuration)
    configuration["methods"] = {"rand": configuration["methods"]["rand"]}
    check_configuration(configuration)


def test_all_contradictions_are_listed() -> None:
    configuration = changed("training.mini_batch_size", 20)
    configuration["base_model"]["batch_size"] = 1
    with refused(where="training.mini_batch_size"):
        check_configuration(configuration)
    with refused(where="base_model.batch_size"):
        check_configuration(configuration)
