"""What a configuration is told: one line a mistake, naming the key, what was found and what is expected."""

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from places import ROOT

from limr.configuration.check import check_configuration, probe, source_files, uses_gpus
from limr.errors import LimrError
from limr.grading.reward import RULES
from limr.logs.formats import NAMES
from limr.logs.log import COLUMNS
from limr.selection.method import score_names

DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
PAPER = yaml.safe_load((ROOT / "config" / "paper.yaml").read_text(encoding="utf-8"))


def changed(path: str, value: Any, configuration: dict[str, Any] = DEFAULT) -> dict[str, Any]:
    configuration = copy.deepcopy(configuration)
    *sections, key = path.split(".")
    section = configuration
    for name in sections:
        section = section[name]
    section[key] = value
    return configuration


@pytest.mark.parametrize("name", ["config.yaml", "config/pipeline_test.yaml", "config/paper.yaml"])
def test_shipped_configurations_are_accepted(name: str) -> None:
    check_configuration(yaml.safe_load((ROOT / name).read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("method", {}, "method: unknown key; did you mean 'methods'?"),
        ("reward.rule", "papers", "reward.rule: found 'papers', expected paper, released_code"),
        ("training.tempreature", 1, "training.tempreature: unknown key; did you mean 'temperature'?"),
        ("methods.lim.score", "limm", "methods.lim.score: unknown score 'limm'; did you mean 'lim'?"),
        ("methods.lim.score", 3, "methods.lim.score: found 3, expected text"),
        ("methods.lim.keep", 0.163, "methods.lim.keep: found 0.163, expected all: or one of {theta: score}"),
        (
            "methods.lim.keep",
            {"theta": 0.6, "top": 9},
            "expected exactly one of theta, share, top, quantile, theta_for",
        ),
        ("methods.lim.keep", {}, "methods.lim.keep: found {}, expected exactly one of theta, share"),
        ("methods.lim.keep", {"quantile": 1.5}, "methods.lim.keep.quantile: found 1.5, expected at most 1"),
        ("methods.lim.keep", {"theta_for": 0.6}, "methods.lim.keep.theta_for: found 0.6, expected a whole number"),
        ("methods.lim.keep", {"share": 0}, "methods.lim.keep.share: found 0, expected more than 0"),
        ("methods.base", {"score": "rand", "keep": "all"}, "methods.base: not a name"),
        ("seeds", [], "seeds: found [], expected a list no shorter than 1"),
        ("seeds", [1, 1], "seeds: found [1, 1], expected no value twice"),
        ("seeds", ["0"], "seeds.0: found '0', expected a whole number"),
        ("training.actor_learning_rate", "1e-4", "YAML wants 1.0e-4, not 1e-4"),
        ("training.steps", None, "training.steps: found nothing, expected a whole number"),
        ("training.steps", True, "training.steps: found True, expected a whole number"),
        (
            "training.mini_batch_size",
            20,
            "training.mini_batch_size: found 20, expected a multiple of samples_per_prompt, 8",
        ),
        (
            "methods.lim.options",
            {"signl": "reward"},
            "unknown option of score 'lim'; did you mean 'signal'?",
        ),
        ("methods.rand.options", {"signal": "reward"}, "unknown option of score 'rand'; it takes no option"),
        ("methods.lim.options", {"signal": "rewards"}, "signal: found 'rewards', expected reward or accuracy"),
        ("methods.lim.options", {"missing": ["drop"]}, "missing: found ['drop'], expected drop or next"),
        (
            "methods.lim.keep",
            {"share": 0.0001},
            "found 0.0001, expected at least one prompt of data.train, 2048",
        ),
        ("methods.lim.keep", {"top": 2049}, "methods.lim.keep.top: found 2049, expected at most data.train, 2048"),
        ("methods.lim.keep", {"theta_for": 2049}, "keep.theta_for: found 2049, expected at most data.train, 2048"),
        ("benchmarks.synth_all.samples", 2, "benchmarks.synth_all.samples: found 2, expected 1 at temperature 0"),
        ("base_model.hidden_size", 63, "hidden_size: found 63, expected a multiple of twice num_attention_heads, 2"),
        ("base_model.hidden_size", 66, "hidden_size: found 66, expected a multiple of twice num_attention_heads, 2"),
        ("base_model.num_key_value_heads", 3, "num_attention_heads: found 2, expected a multiple of num_key_value"),
        ("base_model.batch_size", 1, "base_model.batch_size: found 1, expected at least threads, 2"),
        ("base_model.practice", 0.75, "base_model.guided: found 0.45, expected at most 0.25"),
        ("benchmarks.train", DEFAULT["benchmarks"]["synth_all"], "benchmarks.train: this name is taken"),
        ("benchmarks.items", DEFAULT["benchmarks"]["synth_all"], "benchmarks.items: this name is taken"),
        ("methods.index", DEFAULT["methods"]["lim"], "methods.index: this name is taken by the workflow itself"),
        ("training.engine", "trl", "training.engine: found 'trl', expected miniature, openrlhf"),
        ("data.source", "MATH", "data.source: found 'MATH', expected miniature, math"),
        ("data.prompts", "published", "data.prompts: unknown key"),
        ("data.train", "2048", "data.train: found '2048', expected a whole number"),
        ("base_model", {"repository": "Qwen/Qwen2.5-Math-7B"}, "trains the miniature's own model only"),
        (
            "benchmarks.synth_all",
            {"title": "All", "samples": 1, "temperature": 0},
            "benchmarks.synth_all.levels: this key is missing; the miniature makes the benchmark from it",
        ),
        ("trajectories", {"path": "x", "visits": 2}, "training: nothing is trained"),
    ],
)
def test_a_mistake_is_named_with_what_was_found_and_expected(path: str, value: Any, expected: str) -> None:
    with pytest.raises(LimrError) as caught:
        check_configuration(changed(path, value))
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("data.prompts", "all", "data.prompts: found 'all', expected published, level3plus"),
        ("data.ungradable", "hide", "data.ungradable: found 'hide', expected drop, keep"),
        ("data.train", 2048, "data.train: unknown key"),
        ("data.files", {"math": "m.jsonl"}, "data.files.math: unknown key; did you mean 'math500'?"),
        ("data.files", 3, "data.files: found 3, expected text: a folder, or a file a source"),
        ("data.files", {"aime24": ""}, "data.files.aime24: found '', expected text no shorter than 1"),
        ("data", {"source": "math"}, "data.prompts: this key is missing; expected published (the 8,523 problems"),
        (
            "benchmarks.aime25",
            {"title": "AIME25", "samples": 1, "temperature": 0},
            "benchmarks.aime25: not a benchmark of data.source math; did you mean 'aime24'?",
        ),
        ("benchmarks.math500.levels", [5], "benchmarks.math500.levels: says how the miniature makes a benchmark"),
        ("benchmarks.math500.samples", 4, "benchmarks.math500.samples: found 4, expected 1 at temperature 0"),
        ("training", DEFAULT["training"], "training.engine: found 'miniature', expected openrlhf"),
        ("base_model.repositroy", "x", "base_model.repositroy: unknown key; did you mean 'repository'?"),
    ],
)
def test_mistakes_about_real_data_are_named(path: str, value: Any, expected: str) -> None:
    with pytest.raises(LimrError) as caught:
        check_configuration(changed(path, value, PAPER))
    assert expected in str(caught.value)


OWN = yaml.safe_load((ROOT / "config" / "own_run.yaml").read_text(encoding="utf-8"))


def of_run(folder: Path | str, **said: Any) -> dict[str, Any]:
    configuration = copy.deepcopy(OWN)
    configuration["trajectories"] |= {"path": str(folder)} | said
    return configuration


@pytest.mark.parametrize("name", ["own_run", "one_shot_rlvr"])
def test_configurations_of_a_run_that_is_there_ask_for_its_path_alone(name: str) -> None:
    configuration = yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text(encoding="utf-8"))
    with pytest.raises(LimrError) as caught:
        check_configuration(configuration)
    (line,) = str(caught.value).splitlines()[1:]
    assert line.strip().startswith("trajectories.path: this key is missing") and "--config trajectories=" in line
    configuration["trajectories"]["path"] = "anywhere"
    check_configuration(configuration)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"format": "verll"}, "trajectories.format: found 'verll'; did you mean 'verl'?"),
        ({"format": "sft"}, "trajectories.format: found 'sft'; known are "),
        ({"samples": 0}, "trajectories.samples: found 0, expected at least 1"),
        ({"samples": "8"}, "numbers nested in --config must stand in a file"),
        ({"steps_per_epoch": 1.5}, "trajectories.steps_per_epoch: found 1.5, expected a whole number"),
        ({"columns": {"rewards": "score"}}, "trajectories.columns.rewards: unknown key; did you mean 'reward'?"),
        ({"columns": {"reward": ""}}, "trajectories.columns.reward: found '', expected text no shorter than 1"),
        ({"visit": 3}, "trajectories.visit: unknown key; did you mean 'visits'?"),
    ],
)
def test_mistakes_about_a_run_that_is_there_are_named(said: dict[str, Any], expected: str) -> None:
    with pytest.raises(LimrError) as caught:
        check_configuration(of_run("anywhere", **said))
    assert expected in str(caught.value)


def test_every_format_and_every_method_can_be_configured_for_a_run_that_is_there() -> None:
    for name in NAMES:
        check_configuration(of_run("anywhere", format=name))
    configuration = of_run("anywhere", samples=8, steps_per_epoch=16, visits=20, columns=dict.fromkeys(COLUMNS, "x"))
    configuration["methods"] = {name: {"score": name, "keep": "all"} for name in score_names()}
    check_configuration(configuration)


def test_the_files_of_a_run_are_those_that_are_read(tmp_path: Path) -> None:
    for name in ("2.jsonl", "10.jsonl", ".3.jsonl.partial", "notes.txt", "more/11.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}", encoding="utf-8")
    names = ["2.jsonl", "10.jsonl", "more/11.jsonl"]
    assert source_files(of_run(tmp_path)) == [str(tmp_path / name) for name in names]
    assert source_files(of_run(tmp_path / "2.jsonl")) == [str(tmp_path / "2.jsonl")]


def test_a_run_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LimrError, match=r"trajectories\.path: nowhere: no such file or folder"):
        source_files(of_run("nowhere"))
    with pytest.raises(LimrError, match=r"trajectories\.path: .*: no \.json, .* file in it or below"):
        source_files(of_run(tmp_path))
    (tmp_path / "1.jsonl").write_text("{}", encoding="utf-8")
    monkeypatch.setattr("os.access", lambda path, mode: False)  # permissions do not bind a superuser
    with pytest.raises(LimrError, match=r"trajectories\.path: .*1\.jsonl: cannot be read: permission denied"):
        source_files(of_run(tmp_path))


def test_results_are_not_written_into_the_run_that_they_are_made_from(tmp_path: Path) -> None:
    (tmp_path / "1.jsonl").write_text("{}", encoding="utf-8")
    with pytest.raises(LimrError, match=r"the results, .*results, would be written into it"):
        source_files(of_run(tmp_path) | {"results": str(tmp_path / "results")})


@pytest.mark.parametrize("files", ["../data", {}, {"aime24": "aime.jsonl", "math_train": "train.jsonl"}])
def test_local_files_may_be_a_folder_or_some_of_the_sources(files: Any) -> None:
    check_configuration(changed("data.files", files, PAPER))


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("base_model", {"repository": "org/model"}, "base_model.revision: this key is missing; expected the commit"),
        ("base_model.revision", "main", "base_model.revision: found 'main', expected text no shorter than 40: the"),
        ("evaluation.engine", "sglang", "evaluation.engine: found 'sglang', expected transformers, vllm"),
        ("evaluation.dtype", "bf16", "evaluation.dtype: found 'bf16', expected bfloat16, float16, float32"),
        ("evaluation.data_parallel_size", 0, "evaluation.data_parallel_size: found 0, expected at least 1"),
        ("evaluation.batchsize", 1, "evaluation.batchsize: unknown key; did you mean 'batch_size'?"),
        (
            "evaluation",
            {"engine": "vllm"},
            "evaluation.tensor_parallel_size: this key is missing; expected GPUs of one",
        ),
    ],
)
def test_mistakes_about_the_model_and_its_evaluation_are_named(path: str, value: Any, expected: str) -> None:
    with pytest.raises(LimrError) as caught:
        check_configuration(changed(path, value, PAPER))
    assert expected in str(caught.value)


def test_a_local_model_needs_neither_repository_nor_revision() -> None:
    check_configuration(changed("base_model", {"path": "/models/base", "system_prompt": "Think."}, PAPER))


def test_what_is_made_for_gpus_is_known() -> None:
    assert uses_gpus(PAPER)
    assert uses_gpus(changed("evaluation", DEFAULT["evaluation"], PAPER))
    assert not uses_gpus(DEFAULT)
    assert not uses_gpus({"methods": {}, "trajectories": {}})


@pytest.mark.parametrize("name", [1, 0.5, True, None])
@pytest.mark.parametrize("section", ["methods", "benchmarks"])
def test_a_name_that_yaml_reads_as_no_text_is_refused(section: str, name: Any) -> None:
    configuration = copy.deepcopy(DEFAULT)
    configuration[section][name] = {}
    with pytest.raises(LimrError) as caught:
        check_configuration(configuration)
    assert f"{section}.{name}: found the name {name!r}, expected text" in str(caught.value)


def test_the_largest_shares_and_smallest_sizes_are_accepted() -> None:
    configuration = changed("methods.lim.keep", {"top": DEFAULT["data"]["train"]})
    configuration["methods"]["lim"]["options"] = {"signal": "accuracy", "missing": "next"}
    configuration["base_model"] |= {"practice": 0.55, "batch_size": configuration["base_model"]["threads"]}
    check_configuration(configuration)


def test_every_mistake_is_listed_not_only_the_first() -> None:
    configuration = changed("training.steps", 0)
    configuration["report"] = {"confidence": 1}
    with pytest.raises(LimrError) as caught:
        check_configuration(configuration)
    lines = str(caught.value).splitlines()
    assert len(lines) == 4, lines  # the heading; steps, confidence, and the resamples that are missing


def test_a_missing_section_says_how_configurations_are_laid_over_each_other() -> None:
    configuration = copy.deepcopy(DEFAULT)
    del configuration["evaluation"]
    with pytest.raises(LimrError, match=r"evaluation: this section is missing.*--configfile config\.yaml FILE"):
        check_configuration(configuration)


def test_scores_of_a_probe_need_a_method_that_trains_on_everything() -> None:
    configuration = copy.deepcopy(DEFAULT)
    del configuration["methods"]["full"]
    with pytest.raises(LimrError, match="add a row `full"):
        check_configuration(configuration)
    del configuration["methods"]["lim"], configuration["methods"]["linear"]
    check_configuration(configuration)


def test_the_probe_is_known_by_what_it_trains_on_not_by_its_name() -> None:
    assert (
        probe({"lim": {"score": "lim", "keep": "all"}, "everything": {"score": "full", "keep": "all"}}) == "everything"
    )


def test_planning_loads_no_library_that_only_jobs_need() -> None:
    heavy = "{'torch', 'transformers', 'matplotlib', 'pandas', 'huggingface_hub', 'sympy', 'math_verify', 'msgspec'}"
    code = f"import sys, limr.configuration.check; sys.exit(', '.join({heavy} & set(sys.modules)) or 0)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_rules_that_can_be_configured_are_those_of_the_reward() -> None:
    for rule in RULES:
        check_configuration(changed("reward.rule", rule))
