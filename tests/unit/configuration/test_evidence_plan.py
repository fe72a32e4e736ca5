"""The plan of the evidence: the shipped one and its configurations, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from places import ROOT
from refusals import refused
from snakemake.utils import update_config

from limr.configuration.check import check_configuration
from limr.configuration.config_files import check_files
from limr.configuration.evidence_plan import read_plan
from limr.errors import ProblemsError
from limr.report.pooled_results import OWN, unequal

SHIPPED = read_plan(ROOT / "config/evidence/plan.yaml")


def merged(run: str) -> dict[str, Any]:
    """The configuration of ``run``, as Snakemake merges its files."""
    configuration: dict[str, Any] = {}
    for file in SHIPPED.runs[run]:
        update_config(configuration, yaml.safe_load(file.read_text(encoding="utf-8")))
    return configuration


@pytest.mark.parametrize("run", SHIPPED.runs)
def test_the_configuration_of_every_run_is_valid(run):
    check_files(SHIPPED.runs[run])
    check_configuration(merged(run))
    assert merged(run)["results"] == str(SHIPPED.results(run))


def test_the_worlds_differ_in_problems_base_model_and_seeds_alone():
    worlds = [merged(run) for run in SHIPPED.evidence]
    names = [{name for name, *_ in unequal(world, worlds[0])} for world in worlds[1:]]
    assert names == [{"results", *OWN}] * (len(worlds) - 1)
    seeds = [seed for world in worlds for seed in world["seeds"]]
    assert len(worlds) >= 3 and len(set(seeds)) == len(seeds) >= 8


def test_the_main_experiment_has_all_its_methods_at_equal_size():
    methods = merged(SHIPPED.evidence[0])["methods"]
    assert list(methods) == ["full", "rand", "lim", "rand_solvable", "linear", "learnability", "pass_rate_band"]
    assert {str(row["keep"]) for name, row in methods.items() if name != "full"} == {"{'share': 0.163}"}


def test_every_study_names_methods_that_its_runs_have():
    for study in SHIPPED.studies.values():
        for point in study.points:
            wanted = set((point.methods or {line: line for line in study.lines}).values())
            assert wanted | ({study.overlap} - {None}) <= set(merged(point.run)["methods"]) | {"base", "base_prompt"}


def test_a_study_varies_what_it_says():
    """The numbers of the points are those of the configurations."""
    for name, section, key in (
        ("learning_rates", "training", "actor_learning_rate"),
        ("broken_golds", "data", "broken"),
        ("beyond", "data", "beyond"),
        ("easy", "data", "easy"),
    ):
        for point in SHIPPED.studies[name].points:
            values = merged(point.run)[section]
            assert values.get(key, values.get("pool", {}).get(key, 0)) == pytest.approx(point.at), (name, point.at)
    sizes = SHIPPED.studies["sizes"].points[:-1]
    for point in sizes:
        for method in point.methods.values():
            assert merged(point.run)["methods"][method]["keep"] == {"share": point.at}


def plan_with(folder: Path, **sections: Any) -> Path:
    """A plan of one run in ``folder``, with other ``sections``."""
    (folder / "config/layers").mkdir(parents=True)
    (folder / "config/base.yaml").write_text("results: results/a\n", encoding="utf-8")
    (folder / "config/layers/one.yaml").write_text("seeds: [0]\n", encoding="utf-8")
    plan = {"configuration": "config/base.yaml", "runs": {"a": ["one"]}, "evidence": ["a"], "studies": {}} | sections
    file = folder / "config/layers/plan.yaml"
    file.write_text(yaml.safe_dump(plan), encoding="utf-8")
    return file


def test_the_files_of_a_run_are_the_configuration_and_its_layers_in_order(tmp_path):
    plan = read_plan(plan_with(tmp_path))
    assert [file.relative_to(tmp_path).as_posix() for file in plan.runs["a"]] == [
        "config/base.yaml", "config/layers/one.yaml"
    ]  # fmt: skip
    assert plan.results("a") == Path("results/a")


def test_the_last_layer_that_names_a_folder_decides(tmp_path):
    file = plan_with(tmp_path)
    (tmp_path / "config/layers/one.yaml").write_text("results: results/b\n", encoding="utf-8")
    assert read_plan(file).results("a") == Path("results/b")
    for layer in ("base.yaml", "layers/one.yaml"):
        (tmp_path / "config" / layer).write_text("seeds: [0]\n", encoding="utf-8")
    with refused(what="no layer names a folder", where="run a"):
        read_plan(file).results("a")


STUDY = {"title": "T", "quantity": "q", "scale": "linear", "lines": ["lim"], "points": [{"at": 1, "run": "a"}]}


@pytest.mark.parametrize(
    ("sections", "problem"),
    [
        ({"runs": {"a": ["two"]}}, "two.yaml: no such file"),
        ({"evidence": ["b"]}, "evidence: unknown run b. Known names: a."),
        ({"studies": {"s": STUDY | {"points": [{"at": 1, "run": "b"}]}}}, "studies.s.points.0: unknown run b"),
        ({"studies": {"s": STUDY | {"points": [{"at": "x", "run": "a"}]}}}, "at: found 'x', expected a number"),
        ({"studies": {"s": STUDY | {"scale": "names"}}}, "at: found 1, expected text"),
        (
            {"studies": {"s": STUDY | {"points": [{"at": 1, "run": "a", "methods": {"ran": "rand"}}]}}},
            "unknown line ran. Known names: lim.",
        ),
        ({"studies": {"s": STUDY | {"titel": "T"}}}, "studies.s.titel: extra inputs are not permitted"),
        ({"evidence": []}, "evidence: list should have at least 1 item"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_named(tmp_path, sections, problem):
    with pytest.raises(ProblemsError) as error:
        read_plan(plan_with(tmp_path, **sections))
    assert problem in str(error.value) and "plan.yaml" in str(error.value)


def test_a_missing_plan_is_named(tmp_path):
    with refused(what="no such file", where=tmp_path / "plan.yaml"):
        read_plan(tmp_path / "plan.yaml")


def test_a_layer_without_sections_is_named(tmp_path):
    file = plan_with(tmp_path)
    layer = tmp_path / "config/layers/one.yaml"
    layer.write_text("# nothing yet\n", encoding="utf-8")
    with refused(where=layer, found="nothing", expected="a configuration"):
        read_plan(file)
