"""Every setting that is unknown, missing or wrong is refused with its key, the found value and the expected one."""

import copy
import datetime
import math
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from configurations import DEFAULT, OWN, PAPER, changed, own_run, shipped
from hypothesis import given
from hypothesis import strategies as st
from places import ROOT
from refusals import has, refused

from limr.configuration.check import (
    check_configuration,
    is_pretrained,
    probe,
    source_files,
    uses_gpus,
)
from limr.errors import LimrError, ProblemsError
from limr.grading.equivalence import GRADERS
from limr.grading.reward import RULES
from limr.logs.formats import NAMES
from limr.logs.log import COLUMNS
from limr.selection.method import score_names


def problems(configuration: dict[str, Any]) -> list[LimrError]:
    """All problems of ``configuration``."""
    with pytest.raises(ProblemsError) as raised:
        check_configuration(configuration)
    return raised.value.problems


SHIPPED = ["config.yaml", *sorted(f"config/{path.name}" for path in (ROOT / "config").glob("*.yaml"))]


@pytest.mark.parametrize("file", SHIPPED)
def test_shipped_configurations_are_accepted(file: str) -> None:
    """Some files are laid over another one: they lack the methods, or the path of the run."""
    configuration = shipped(file)
    if "trajectories" in configuration:
        configuration["trajectories"]["path"] = "anywhere"
    elif "methods" not in configuration or "results" not in configuration:
        base = PAPER if "qwen" in file else DEFAULT
        configuration = base | {
            name: base[name] | section if isinstance(section, dict) else section
            for name, section in configuration.items()
        }
    check_configuration(configuration)


A_BENCHMARK = DEFAULT["benchmarks"]["synth_all"]
MISTAKES = {
    "unknown section": ("method", {}, {"what": "unknown key", "advice": "'methods'"}),
    "unknown key": ("training.tempreature", 1, {"what": "unknown key", "advice": "'temperature'"}),
    "unknown key of a method": (
        "methods.lim.scores",
        "lim",
        {"what": "unknown key", "advice": "'score'"},
    ),
    "missing key of a method": (
        "methods.lim",
        {"score": "lim"},
        {"where": "methods.lim.keep", "what": "missing", "expected": "which prompts to train on"},
    ),
    "unknown key of a benchmark": ("benchmarks.synth_all.sample", 1, {"what": "unknown key", "advice": "'samples'"}),
    "unknown key of data": ("data.prompts", "published", {"what": "unknown key"}),
    "unknown rule": ("reward.rule", "papers", {"found": '"papers"', "expected": "'paper' or 'released_code'"}),
    "unknown score": ("methods.lim.score", "limm", {"what": "unknown score 'limm'", "advice": "'lim'"}),
    "number for text": ("methods.lim.score", 3, {"found": "3", "expected": "text"}),
    "keep: a number": (
        "methods.lim.keep",
        0.163,
        {"found": "0.163", "expected": "all, or exactly one of theta, top"},
    ),
    "keep: two rules": (
        "methods.lim.keep",
        {"theta": 0.6, "top": 9},
        {"expected": "exactly one of theta, top, share, quantile, theta_for"},
    ),
    "keep: no rule": ("methods.lim.keep", {}, {"found": "{}", "expected": "exactly one of theta, top"}),
    "keep: unknown word": ("methods.lim.keep", "al", {"found": '"al"', "expected": "all, or"}),
    "keep: unknown rule": ("methods.lim.keep", {"tetha": 0.6}, {"expected": "exactly one of", "advice": "'theta'"}),
    "quantile above 1": ("methods.lim.keep", {"quantile": 1.5}, {"where": "keep.quantile", "expected": "at most 1"}),
    "share of 0": ("methods.lim.keep", {"share": 0}, {"where": "keep.share", "expected": "more than 0"}),
    "fraction for a whole number": (
        "methods.lim.keep",
        {"theta_for": 0.6},
        {"where": "keep.theta_for", "found": "0.6", "expected": "a whole number"},
    ),
    "16.0 for a whole number": (
        "training.steps",
        16.0,
        {"found": "16.0", "expected": "a whole number (training steps"},
    ),
    "null": ("training.steps", None, {"found": "null", "expected": "a whole number", "advice": "has no value"}),
    "null for text": ("results", None, {"found": "null", "expected": "text", "advice": "has no value"}),
    "true for a number": ("training.steps", True, {"found": "true", "expected": "a whole number"}),
    "NaN": ("methods.lim.keep", {"theta": math.nan}, {"where": "keep.theta", "found": "NaN", "expected": "finite"}),
    "infinity": ("training.clip", math.inf, {"found": "Infinity", "expected": "finite"}),
    "minus infinity": ("training.kl_coefficient", -math.inf, {"found": "-Infinity", "expected": "finite"}),
    "no seeds": ("seeds", [], {"found": "[]", "expected": "at least one entry"}),
    "a seed twice": ("seeds", [1, 1], {"found": "[1, 1]", "expected": "no value twice"}),
    "a seed as text": ("seeds", ["0"], {"where": "seeds.0", "found": '"0"', "expected": "a whole number"}),
    "a seed too large": ("seeds", [2**31], {"where": "seeds.0", "expected": "less than 2147483648"}),
    "a seed of the data too large": ("data.seed", 2**31, {"expected": "less than 2147483648"}),
    "a seed below 0": ("base_model.seed", -1, {"found": "-1", "expected": "at least 0"}),
    "1e-4": (
        "training.actor_learning_rate",
        "1e-4",
        {"found": '"1e-4"', "advice": "1.0e-4 as a number and 1e-4 as text"},
    ),
    "number as text": ("data.train", "2048", {"found": '"2048"', "expected": "a whole number", "advice": "in a file"}),
    "a list for a number": ("training.steps", [1], {"found": "[1]", "expected": "a whole number"}),
    "a date for text": ("results", datetime.date(2026, 1, 1), {"found": "2026-01-01", "expected": "text"}),
    "empty text": ("results", "", {"found": '""', "expected": "text that is not empty"}),
    "a wildcard in a path": ("results", "results/{seed}", {"expected": "without braces", "advice": "wildcard"}),
    "null for a section": ("training", None, {"found": "null", "expected": "a section (reinforcement learning"}),
    "null for the base model": ("base_model", None, {"found": "null", "expected": "a section"}),
    "NaN for a section": ("report", math.nan, {"found": "NaN", "expected": "a section"}),
    "no methods": ("methods", {}, {"found": "{}", "expected": "at least one entry"}),
    "null for a method": ("methods.lim", None, {"found": "null", "expected": "a section"}),
    "a name with a capital": (
        "methods.Lim",
        DEFAULT["methods"]["lim"],
        {"found": '"Lim"', "expected": "a-z, 0-9 and _"},
    ),
    "a method called base": ("methods.base", {"score": "rand", "keep": "all"}, {"what": "uses this name"}),
    "a method called base_prompt": ("methods.base_prompt", DEFAULT["methods"]["lim"], {"what": "uses this name"}),
    "a method called index": ("methods.index", DEFAULT["methods"]["lim"], {"what": "uses this name"}),
    "a benchmark called train": ("benchmarks.train", A_BENCHMARK, {"what": "uses this name"}),
    "a benchmark called items": ("benchmarks.items", A_BENCHMARK, {"what": "uses this name"}),
    "a level twice": ("benchmarks.synth_all.levels", [1, 1], {"expected": "no value twice"}),
    "a level that does not exist": (
        "benchmarks.synth_all.levels",
        [1, 7],
        {"where": "benchmarks.synth_all.levels.1", "found": "7", "expected": "at most 6"},
    ),
    "unknown option": ("methods.lim.options", {"signl": "reward"}, {"where": "options.signl", "advice": "'signal'"}),
    "option of another score": (
        "methods.rand.options",
        {"signal": "reward"},
        {"what": "unknown option of score 'rand'", "advice": "has no options"},
    ),
    "wrong value of an option": (
        "methods.lim.options",
        {"signal": "rewards"},
        {"where": "methods.lim.options.signal", "found": '"rewards"', "expected": "one of reward, accuracy"},
    ),
    "a list for an option": (
        "methods.lim.options",
        {"missing": ["drop"]},
        {"where": "options.missing", "found": '["drop"]', "expected": "one of drop, next"},
    ),
    "NaN for an option": (
        "methods.lim.options",
        {"best_reward": math.nan},
        {"where": "options.best_reward", "found": "NaN", "expected": "a number"},
    ),
    "options that contradict each other": (
        "methods.lim.options",
        {"signal": "accuracy", "best_reward": 2},
        {"where": "options.best_reward", "found": "2", "expected": "1, the highest accuracy"},
    ),
    "an option that contradicts the default of another": (
        "methods.lim",
        {"score": "pass_rate_band", "keep": {"theta": 0}, "options": {"highest": 0.1}},
        {"where": "methods.lim.options.lowest", "found": "0.2", "expected": "less than highest, 0.1"},
    ),
    "true for an option": ("methods.lim.options", {"best_reward": True}, {"found": "true", "expected": "a number"}),
    "unknown engine": ("training.engine", "trl", {"found": '"trl"', "expected": "miniature (PPO on torch"}),
    "null for an engine": ("training.engine", None, {"found": "null", "expected": "openrlhf (OpenRLHF on Ray"}),
    "a list for an engine": ("training.engine", ["miniature"], {"found": '["miniature"]', "expected": "openrlhf"}),
    "unknown source": ("data.source", "MATH", {"found": '"MATH"', "expected": "math (MATH, from the Hugging Face hub"}),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused_with_its_key(mistake: str) -> None:
    path, value, parts = MISTAKES[mistake]
    (problem,) = problems(changed(path, value))
    assert has(problem, {"where": path} | parts), problem


@pytest.mark.parametrize(
    ("path", "value", "parts"),
    [
        ("data.prompts", "all", {"found": '"all"', "expected": "'published' or 'level3plus'"}),
        ("data.ungradable", "hide", {"found": '"hide"', "expected": "'drop' or 'keep'"}),
        ("data.train", 2048, {"what": "unknown key"}),
        ("data.files", {"math": "m.jsonl"}, {"where": "data.files.math", "advice": "'math500'"}),
        ("data.files", 3, {"found": "3", "expected": "a folder, or a section with a file for each source"}),
        ("data.files", {"aime24": ""}, {"where": "data.files.aime24", "found": '""', "expected": "not empty"}),
        ("data", {"source": "math"}, {"where": "data.prompts", "what": "missing", "expected": "published (the 8,523"}),
        ("base_model.repositroy", "x", {"what": "unknown key", "advice": "'repository'"}),
        ("base_model", {"repository": "org/model"}, {"where": "base_model.revision", "what": "missing"}),
        ("base_model", {"revision": "0" * 40}, {"where": "base_model.repository", "what": "missing"}),
        (
            "base_model.revision",
            "main",
            {"found": '"main"', "expected": "the commit of the repository, 40 hexadecimal"},
        ),
        ("evaluation.engine", "sglang", {"found": '"sglang"', "expected": "vllm (in separate processes"}),
        ("evaluation.dtype", "bf16", {"found": '"bf16"', "expected": "'bfloat16', 'float16' or 'float32'"}),
        ("evaluation.data_parallel_size", 0, {"found": "0", "expected": "at least 1"}),
        ("evaluation.batchsize", 1, {"what": "unknown key", "advice": "'batch_size'"}),
        ("training.arguments", {"ds.zpg": [8]}, {"where": "arguments.ds.zpg", "found": "[8]", "expected": "text"}),
        (
            "training.arguments",
            {"ds.zpg": math.nan},
            {"where": "arguments.ds.zpg", "found": "NaN", "expected": "finite"},
        ),
        ("training.arguments", {"": 1}, {"where": "training.arguments.", "found": '""', "expected": "the name of an"}),
        ("training.arguments", {"--ds.zpg": 1}, {"where": "arguments.--ds.zpg", "expected": "without its dashes"}),
        ("training.arguments", {"a b": 1}, {"where": "arguments.a b", "expected": "the name of an argument"}),
        (
            "training.arguments",
            {"ds.zpg": "8\0"},
            {"where": "arguments.ds.zpg", "expected": "one line of visible text"},
        ),
        ("training.patience_minutes", 1e300, {"expected": "a number from 1e-12 to 1e12"}),
        ("base_model.repository", "../x", {"found": '"../x"', "expected": "a model on the Hugging Face hub, e.g."}),
        ("base_model.repository", "a b", {"found": '"a b"', "expected": "a model on the Hugging Face hub, e.g."}),
        ("base_model.repository", "a/b\n", {"expected": "a model on the Hugging Face hub, e.g."}),
    ],
)
def test_a_mistake_in_the_paper_s_configuration_is_refused(path: str, value: Any, parts: dict[str, Any]) -> None:
    (problem,) = problems(changed(path, value, PAPER))
    assert has(problem, {"where": path} | parts), problem


def test_every_key_that_an_engine_needs_is_named_with_its_description() -> None:
    missing = problems(changed("evaluation", {"engine": "vllm"}, PAPER))
    assert len(missing) == len(PAPER["evaluation"]) - 1
    parts = {"where": "evaluation.tensor_parallel_size", "what": "missing", "expected": "GPUs of one vLLM engine"}
    assert any(has(problem, parts) for problem in missing)


@pytest.mark.parametrize("file", ["config/own_run.yaml", "config/one_shot_rlvr.yaml"])
def test_the_configurations_of_a_finished_run_lack_only_its_path(file: str) -> None:
    configuration = shipped(file)
    (problem,) = problems(configuration)
    assert has(problem, {"where": "trajectories.path", "what": "missing", "expected": "--config trajectories="})
    configuration["trajectories"]["path"] = "anywhere"
    check_configuration(configuration)


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({"format": "verll"}, {"where": "format", "what": "unknown format 'verll'", "advice": "'verl'"}),
        ({"format": "sft"}, {"where": "format", "what": "'sft'", "advice": "Known names: limr_fork, "}),
        ({"samples": 0}, {"where": "samples", "found": "0", "expected": "at least 1"}),
        (
            {"samples": "8"},
            {"where": "samples", "found": '"8"', "advice": "--config value as text: write them in a file"},
        ),
        ({"samples": None}, {"where": "samples", "found": "null", "expected": "a whole number"}),
        ({"steps_per_epoch": 1.5}, {"where": "steps_per_epoch", "found": "1.5", "expected": "a whole number"}),
        ({"columns": {"rewards": "score"}}, {"where": "columns.rewards", "what": "unknown key", "advice": "'reward'"}),
        ({"columns": {"reward": ""}}, {"where": "columns.reward", "found": '""', "expected": "not empty"}),
        ({"visit": 3}, {"where": "visit", "what": "unknown key", "advice": "'visits'"}),
    ],
)
def test_a_mistake_about_a_finished_run_is_refused(settings: dict[str, Any], parts: dict[str, Any]) -> None:
    (problem,) = problems(own_run("anywhere", **settings))
    assert has(problem, parts | {"where": f"trajectories.{parts['where']}"}), problem


def test_a_section_of_training_is_refused_beside_a_finished_run() -> None:
    found = problems(changed("trajectories", {"path": "x", "visits": 2}))
    sections = [section for section in DEFAULT if section not in OWN]
    assert sorted(problem.where[0] for problem in found) == sorted(sections)
    assert all(has(problem, {"what": "no effect beside `trajectories`"}) for problem in found)


def test_every_format_and_every_method_can_be_configured_for_a_finished_run() -> None:
    for name in NAMES:
        check_configuration(own_run("anywhere", format=name))
    configuration = own_run("anywhere", samples=8, steps_per_epoch=16, visits=20, columns=dict.fromkeys(COLUMNS, "x"))
    configuration["methods"] = {name: {"score": name, "keep": "all"} for name in score_names()}
    check_configuration(configuration)


@pytest.mark.parametrize("name", [1, 0.5, True, None])
@pytest.mark.parametrize("section", ["methods", "benchmarks"])
def test_a_name_that_yaml_does_not_read_as_text_is_refused(section: str, name: Any) -> None:
    configuration = copy.deepcopy(DEFAULT)
    configuration[section][name] = {}
    with refused(where=f"{section}.{name}", expected="text", advice="Put the name in quotes"):
        check_configuration(configuration)


def test_a_section_with_a_name_that_is_not_text_is_refused() -> None:
    with refused(where="1", expected="text"):
        check_configuration(DEFAULT | {1: {}})


@pytest.mark.parametrize("files", ["../data", {}, {"aime24": "aime.jsonl", "math_train": "train.jsonl"}])
def test_local_files_may_be_a_folder_or_some_of_the_sources(files: Any) -> None:
    check_configuration(changed("data.files", files, PAPER))


def test_a_local_model_needs_neither_repository_nor_revision() -> None:
    check_configuration(changed("base_model", {"path": "/models/base", "system_prompt": "Think."}, PAPER))


def test_every_kind_of_base_model_may_have_a_prefix() -> None:
    check_configuration(changed("base_model.prefix", "Think. "))
    check_configuration(changed("base_model.prefix", "Think. ", PAPER))
    check_configuration(changed("base_model", {"path": "/models/base", "prefix": "Think. "}, PAPER))


def test_a_local_model_can_be_laid_over_a_model_of_the_hub() -> None:
    check_configuration(changed("base_model.path", "/models/base", PAPER))


def test_every_reward_rule_can_be_configured_and_no_other() -> None:
    for rule in RULES:
        check_configuration(changed("reward.rule", rule))


def test_every_grader_can_be_configured_and_no_other() -> None:
    for grader in GRADERS:
        check_configuration(changed("reward.grader", grader))
    with refused(where="reward.grader", found='"verl"', expected="'limr' or 'math_verify'"):
        check_configuration(changed("reward.grader", "verl"))


def test_every_mistake_is_listed_and_not_only_the_first() -> None:
    configuration = changed("training.steps", 0)
    configuration["report"] = {"confidence": 1}
    configuration["methods"]["lim"] = {"score": "lin", "keep": "all", "options": {}}
    places = {problem.where[0] for problem in problems(configuration)}
    assert places == {"training.steps", "report.confidence", "report.bootstrap_resamples", "methods.lim.score"}


def paths(section: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[str]:
    """Every key of a configuration, e.g. ``methods.lim.keep``."""
    for key, value in section.items():
        yield ".".join([*above, key])
        if isinstance(value, dict):
            yield from paths(value, (*above, key))


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.sampled_from(["all", "lim"])
)
KEYS = st.sampled_from(["engine", "source", "path", "repository", "theta", "score", "options", "keep", "<theta>", "x"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS | SCALARS, inner, max_size=3),
    max_leaves=4,
)


@given(st.sampled_from([DEFAULT, PAPER, own_run("anywhere")]), VALUES, st.data())
def test_any_value_is_accepted_or_refused_in_its_section(
    configuration: dict[str, Any], value: Any, data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(list(paths(configuration))))
    try:
        check_configuration(changed(path, value, configuration))
    except ProblemsError as error:
        assert all(problem.render() for problem in error.problems)
        assert pickle.loads(pickle.dumps(error)).render() == error.render()
        key = path.split(".")[0]
        related = {"data", "training", "base_model", "methods", "benchmarks"}
        assert {problem.where[0].split(".")[0] for problem in error.problems} <= related | {key}


def test_an_unknown_engine_is_the_only_problem_of_its_section() -> None:
    (problem,) = problems(changed("training", {"engine": "trl", "learning_rate": 1}))
    assert has(problem, {"where": "training.engine"})


def test_the_error_for_a_missing_section_explains_how_to_lay_configurations_over_each_other() -> None:
    configuration = copy.deepcopy(DEFAULT)
    del configuration["evaluation"]
    with refused(where="evaluation", what="missing", advice="--configfile config.yaml FILE"):
        check_configuration(configuration)


def test_the_files_of_a_run_are_those_that_are_read(tmp_path: Path) -> None:
    for name in ("2.jsonl", "10.jsonl", ".3.jsonl.partial", "notes.txt", "more/11.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}", encoding="utf-8")
    names = ["2.jsonl", "10.jsonl", "more/11.jsonl"]
    assert source_files(own_run(tmp_path)) == [str(tmp_path / name) for name in names]
    assert source_files(own_run(tmp_path / "2.jsonl")) == [str(tmp_path / "2.jsonl")]


def test_files_left_out_of_a_run_are_no_files_of_it(tmp_path: Path) -> None:
    for name in ("2.jsonl", "3.jsonl", "old/2.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}", encoding="utf-8")
    configuration = own_run(tmp_path)
    configuration["trajectories"] = {**configuration["trajectories"], "leave_out": ["3.jsonl", "old"]}
    check_configuration(configuration)
    assert source_files(configuration) == [str(tmp_path / "2.jsonl")]
    configuration["trajectories"]["leave_out"] = ["4.jsonl"]
    with refused(where=("trajectories.path", tmp_path), what="no file to leave out has this name"):
        source_files(configuration)


def test_a_run_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with refused(where=("trajectories.path", "nowhere"), what="no such file or folder"):
        source_files(own_run("nowhere"))
    with refused(where=("trajectories.path", tmp_path), what="no .json, "):
        source_files(own_run(tmp_path))
    (tmp_path / "1.jsonl").write_text("{}", encoding="utf-8")
    monkeypatch.setattr("os.access", lambda path, mode: False)  # permissions do not bind a superuser
    with refused(where=("trajectories.path", "1.jsonl"), what="permission denied"):
        source_files(own_run(tmp_path))


def test_results_inside_the_run_that_they_come_from_are_refused(tmp_path: Path) -> None:
    (tmp_path / "1.jsonl").write_text("{}", encoding="utf-8")
    with refused(where=("trajectories.path", tmp_path), what=f"the results, {tmp_path}/results, would be written into"):
        source_files(own_run(tmp_path) | {"results": str(tmp_path / "results")})


def test_only_configurations_with_openrlhf_or_vllm_use_gpus() -> None:
    assert uses_gpus(PAPER)
    assert uses_gpus(changed("evaluation", DEFAULT["evaluation"], PAPER))
    assert not uses_gpus(DEFAULT)
    assert not uses_gpus({"methods": {}, "trajectories": {}})


def test_a_model_of_the_hub_and_one_in_a_folder_are_pretrained() -> None:
    assert is_pretrained(PAPER["base_model"]) and is_pretrained({"path": "model"})
    assert not is_pretrained(DEFAULT["base_model"])


def test_the_probe_is_the_method_that_trains_on_all_prompts_under_any_name() -> None:
    methods = {"lim": {"score": "lim", "keep": "all"}, "everything": {"score": "full", "keep": "all"}}
    assert probe(methods) == "everything"


def test_planning_loads_no_library_that_only_jobs_need() -> None:
    heavy = "{'torch', 'transformers', 'matplotlib', 'pandas', 'huggingface_hub', 'sympy', 'math_verify', 'msgspec'}"
    code = f"import sys, limr.configuration.check; sys.exit(', '.join({heavy} & set(sys.modules)) or 0)"
    subprocess.run([sys.executable, "-c", code], check=True)
