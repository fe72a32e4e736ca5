"""Values out of range, titles that break a table, and names and folders that the workflow cannot use are refused."""

import math
import re
from pathlib import Path
from typing import Any

import pytest
from configurations import DEFAULT, changed
from places import ROOT
from refusals import has, refused

from limr.configuration.check import check_clone, check_configuration, check_results_folder
from limr.errors import ProblemsError

A_ROW = DEFAULT["methods"]["lim"]
A_BENCHMARK = DEFAULT["benchmarks"]["synth_all"] | {"title": "A"}
VALUES: dict[str, tuple[str, Any, dict[str, str]]] = {
    "more than 32 bits": ("training.steps", 10**20, {"found": "100000000000000000000", "expected": "less than 2147"}),
    "warm-up of more than 32 bits": ("training.warmup_steps", 2**31, {"expected": "less than 2147483648"}),
    "more threads than a machine has": ("training.threads", 1025, {"found": "1025", "expected": "at most 1024"}),
    "a huge number": ("training.clip", 1e30, {"found": "1e+30", "expected": "a number from 1e-12 to 1e12"}),
    "a number that is 0 in float32": ("training.clip", 5e-324, {"expected": "a number from 1e-12 to 1e12"}),
    "a huge weight": ("training.kl_coefficient", 1e30, {"expected": "a number from 1e-12 to 1e12"}),
    "a learning rate above 1": ("training.actor_learning_rate", 1.5, {"found": "1.5", "expected": "at most 1"}),
    "a learning rate below 0": ("base_model.learning_rate", -1e-3, {"expected": "more than 0"}),
    "a learning rate of 0": ("training.critic_learning_rate", 0, {"found": "0", "expected": "more than 0"}),
    "rollouts at temperature 0": ("training.temperature", 0, {"found": "0", "expected": "at least 0.01"}),
    "rollouts at temperature 1e-5": ("training.temperature", 1e-5, {"expected": "at least 0.01"}),
    "a temperature above 100": ("training.temperature", 101, {"expected": "at most 100"}),
    "a benchmark at temperature 1e-5": (
        "benchmarks.synth_mid.temperature",
        1e-5,
        {"found": "1e-05", "expected": "0 (greedy), or at least 0.01"},
    ),
    "a benchmark below 0": ("benchmarks.synth_mid.temperature", -1, {"expected": "at least 0"}),
    "top_p of 0": ("evaluation.top_p", 0, {"found": "0", "expected": "more than 0"}),
    "top_p above 1": ("evaluation.top_p", 1.5, {"found": "1.5", "expected": "at most 1"}),
    "lambda above 1": ("training.gae_lambda", 1.5, {"found": "1.5", "expected": "at most 1"}),
    "NaN for lambda": ("training.gae_lambda", math.nan, {"found": "NaN", "expected": "finite"}),
    "no samples": ("training.samples_per_prompt", 0, {"found": "0", "expected": "at least 1"}),
    "true for a seed": ("seeds", [True], {"where": "seeds.0", "found": "true", "expected": "a whole number"}),
    "1.0 for a seed": ("seeds", [1.0], {"where": "seeds.0", "found": "1.0", "expected": "a whole number"}),
    "a number for the seeds": ("seeds", 0, {"found": "0", "expected": "a list"}),
    "a title of two lines": ("benchmarks.synth_mid.title", "a\nb", {"expected": "one line of visible text"}),
    "a blank title": ("benchmarks.synth_mid.title", "  ", {"found": '"  "', "expected": "one line of visible text"}),
    "a space before a title": ("benchmarks.synth_mid.title", " A", {"expected": "without white space at its ends"}),
    "an escape sequence in a title": ("benchmarks.synth_mid.title", "\x1b[31mA", {"expected": "visible text"}),
    "a title from right to left": ("benchmarks.synth_mid.title", "\u202eA", {"expected": "visible text"}),
    "a title with an invisible character": ("benchmarks.synth_mid.title", "A\u200b", {"expected": "visible text"}),
    "half a character": ("benchmarks.synth_mid.title", "\ud800", {"expected": "text of valid characters"}),
    "more than all golds broken": (
        "data.pool",
        {"broken": 1.5},
        {"where": "data.pool.broken", "expected": "at most 1"},
    ),
    "a share below 0": ("data.pool", {"easy": -0.1}, {"where": "data.pool.easy", "expected": "at least 0"}),
    "true for a share": ("data.pool", {"beyond": True}, {"where": "data.pool.beyond", "expected": "a number"}),
    "a share without a value": ("data.pool", {"broken": None}, {"where": "data.pool.broken", "found": "null"}),
    "an unknown part of the pool": ("data.pool", {"brocken": 0.1}, {"where": "data.pool.brocken", "advice": "broken"}),
    "an unknown wording": ("benchmarks.synth_mid.wording", "plain", {"expected": "ordinary"}),
    "level 7": ("benchmarks.synth_mid.levels", [7], {"expected": "at most 6"}),
    "more than all problems reworded": ("base_model.reworded", 1.1, {"expected": "at most 1"}),
    "a benchmark called broken_golds": ("benchmarks.broken_golds", A_BENCHMARK, {"what": "uses this name"}),
    "two lines that it mirrors": ("benchmarks.synth_mid.mirrors", "a\nb", {"expected": "one line of visible text"}),
    "results in angle brackets": ("results", "<results>", {"expected": "without braces and angle brackets"}),
    "results of two lines": ("results", "a\nb", {"expected": "one line of visible text"}),
    "blank results": ("results", " ", {"found": '" "', "expected": "one line of visible text"}),
    "NUL in results": ("results", "a\0b", {"expected": "one line of visible text"}),
    "results here": ("results", ".", {"found": '"."', "expected": "a folder of its own"}),
    "results above": ("results", "..", {"found": '".."', "expected": "a folder of its own"}),
    "results two above": ("results", "../..", {"expected": "a folder of its own"}),
    "results at the root": ("results", "/", {"found": '"/"', "expected": "a folder of its own"}),
    "results with a slash at the end": ("results", "results/", {"found": '"results/"', "expected": "`results`"}),
    "results by a detour": ("results", "a/../b", {"expected": "`b`", "advice": "without detours"}),
    "results in the home folder": ("results", "~/results", {"expected": "a folder of this machine"}),
    "results in the cloud": ("results", "s3://bucket/results", {"expected": "a folder of this machine"}),
    "results with a name too long": ("results", f"a/{'é' * 128}", {"expected": "names of at most 255 bytes"}),
    "a blank prefix": ("base_model.prefix", " \n", {"found": '" \\n"', "expected": "text that is not blank"}),
    "a prefix that is no text": ("base_model.prefix", 3, {"found": "3", "expected": "text"}),
    "a method called distribution": ("methods.distribution", A_ROW, {"what": "uses this name"}),
    "a method called kind": ("methods.kind", A_ROW, {"what": "uses this name"}),
    "a method called share": ("methods.share", A_ROW, {"what": "uses this name"}),
    "a method called self": ("methods.self", A_ROW, {"what": "uses this name"}),
    "a method called size": ("methods.size", A_ROW, {"what": "uses this name"}),
    "a name that ends in a line break": (
        "methods.lim\n",
        A_ROW,
        {"found": '"lim\\n"', "expected": "a-z, 0-9 and _"},
    ),
    "a name too long": (f"methods.{'a' * 51}", A_ROW, {"expected": "at most 50 characters"}),
    "a benchmark called average": (
        "benchmarks.average",
        A_BENCHMARK,
        {"what": "uses this name"},
    ),
}


@pytest.mark.parametrize("mistake", VALUES)
def test_a_value_that_the_workflow_cannot_use_is_refused_with_its_key(mistake: str) -> None:
    path, value, parts = VALUES[mistake]
    with pytest.raises(ProblemsError) as raised:
        check_configuration(changed(path, value))
    (problem,) = raised.value.problems
    assert has(problem, {"where": path} | parts), problem


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("training.temperature", 0.01),
        ("training.kl_coefficient", 0),
        ("training.actor_learning_rate", 1e-30),
        ("training.gradient_clip", 1e12),
        ("training.gae_lambda", 0),
        ("benchmarks.synth_mid.temperature", 0.01),
        ("benchmarks.synth_mid.title", "a|b <c> & $d$"),
        ("results", "/scratch/a b/résultats"),
        ("results", "../results"),
        ("base_model.prefix", "Think.\nThen answer: "),
        ("results", "a~"),
    ],
)
def test_the_values_at_the_edges_are_accepted(path: str, value: Any) -> None:
    check_configuration(changed(path, value))


def test_no_method_has_a_name_that_gives_two_rules_one_name() -> None:
    """The workflow makes a rule score_{method} for each method."""
    rules = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "rules").glob("*.smk"))
    taken = re.findall(r"^ *rule score_(\w+):", rules, re.MULTILINE)
    assert taken
    for name in taken:
        with refused(where=f"methods.{name}", what="the workflow itself uses this name"):
            check_configuration(changed(f"methods.{name}", A_ROW))


def test_a_clone_in_a_folder_with_braces_is_refused() -> None:
    check_clone("/home/a b/limr<1>")
    with refused(where="/home/{user}/limr", found="braces", advice="Move or rename the folder"):
        check_clone("/home/{user}/limr")


def test_a_results_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_results_folder(str(tmp_path / "new" / "results"))
    check_results_folder(str(tmp_path))
    (tmp_path / "file").write_text("", encoding="utf-8")
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    for results in ("file", "file/results", "nowhere", "nowhere/results"):
        with refused(where=("results", tmp_path / results.split("/")[0]), what="no folder", advice="`results`"):
            check_results_folder(str(tmp_path / results))
    monkeypatch.setattr("os.access", lambda path, mode: False)  # permissions do not bind a superuser
    with refused(where=("results", tmp_path), what="no permission"):
        check_results_folder(str(tmp_path / "results"))
