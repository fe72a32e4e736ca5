"""The section `supervised`: what does not fit together is refused before anything runs."""

from copy import deepcopy
from typing import Any

import pytest
import yaml
from places import ROOT
from refusals import refused

from limr.configuration.check import check_configuration
from limr.configuration.supervised_checks import compared_with_supervised

MINIATURE = yaml.safe_load((ROOT / "config/pipeline_test.yaml").read_text(encoding="utf-8"))
PAPER_TEXT = (ROOT / "config/paper.yaml").read_text(encoding="utf-8")
PAPER = yaml.safe_load(PAPER_TEXT)
ROW: dict[str, Any] = {
    "solutions": {"source": "miniature", "levels": [4, 5], "share": 0.163},
    "epochs": 2,
    "batch_size": 8,
    "learning_rates": [0.001, 0.0003],
}
LIMO: dict[str, Any] = {
    "solutions": {"source": "limo", "revision": "a" * 40},
    "epochs": 15,
    "batch_size": 64,
    "learning_rates": [5.0e-6],
    "max_tokens": 16384,
}


def check(configuration: dict[str, Any], row: dict[str, Any], name: str = "sft") -> None:
    check_configuration({**deepcopy(configuration), "supervised": {name: row}})


def test_rows_of_the_miniature_and_of_the_papers_run_are_accepted() -> None:
    check(MINIATURE, ROW)
    check(PAPER, LIMO)
    check(PAPER, {**LIMO, "solutions": {"source": "s1k", "file": "s1k.jsonl"}, "arguments": {"ds.zpg": 8}})


def test_the_section_that_the_papers_configuration_proposes_is_accepted() -> None:
    lines = PAPER_TEXT.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("# supervised:"))
    section = []
    for line in lines[start:]:
        if not line.startswith("#"):
            break
        section.append(line.removeprefix("# "))
    proposed = yaml.safe_load("\n".join(section).replace("REVISION", "a" * 40))
    assert list(proposed["supervised"]) == ["limo", "s1"]
    check_configuration(PAPER | proposed)


@pytest.mark.parametrize(
    ("configuration", "change", "parts"),
    [
        (MINIATURE, {"solutions": LIMO["solutions"]}, {"where": "supervised.sft.solutions.source", "found": "limo"}),
        (PAPER, ROW, {"where": "supervised.sft.solutions.source", "found": "miniature", "expected": "limo or s1k"}),
        (MINIATURE, {"max_tokens": 10}, {"where": "supervised.sft.max_tokens", "what": "OpenRLHF only"}),
        (MINIATURE, {"arguments": {"ds.zpg": 8}}, {"where": "supervised.sft.arguments", "what": "OpenRLHF only"}),
        (MINIATURE, {"learning_rates": []}, {"where": "supervised.sft.learning_rates"}),
        (MINIATURE, {"learning_rates": [0.1, 0.1]}, {"where": "supervised.sft.learning_rates", "expected": "twice"}),
        (MINIATURE, {"solutions": {**ROW["solutions"], "share": 0.001}}, {"where": "supervised.sft.solutions.share"}),
        (PAPER, {**LIMO, "solutions": {"source": "limo"}}, {"where": "solutions.revision", "what": "missing"}),
        (PAPER, {**LIMO, "solutions": {"source": "limo", "revision": "main"}}, {"where": "sft.solutions.revision"}),
        (PAPER, {**LIMO, "solutions": {"source": "lima"}}, {"where": "sft.solutions.source", "expected": "limo"}),
        (PAPER, {**LIMO, "solutions": "limo"}, {"where": "sft.solutions", "expected": "a section"}),
        (PAPER, {**LIMO, "batch_size": 60}, {"where": "supervised.sft.batch_size", "expected": "a multiple of"}),
        (PAPER, {**LIMO, "arguments": {"adam.lr": 1}}, {"where": "supervised.sft.arguments.adam.lr"}),
        (PAPER, {**LIMO, "arguments": {"ds.lora.rank": 8}}, {"where": "arguments.ds.lora.rank", "advice": "adapter"}),
    ],
)
def test_what_does_not_fit_is_refused(
    configuration: dict[str, Any], change: dict[str, Any], parts: dict[str, Any]
) -> None:
    with refused(**parts):
        check(configuration, {**ROW, **change})


def test_the_length_of_a_solution_must_be_given_for_openrlhf() -> None:
    row = {key: value for key, value in LIMO.items() if key != "max_tokens"}
    with refused(where="supervised.sft.max_tokens", what="missing"):
        check(PAPER, row)


def test_a_row_cannot_have_the_name_of_a_method() -> None:
    with refused(where="supervised.lim", what="a method has this name"):
        check(MINIATURE, ROW, name="lim")


def test_table_3_shows_one_full_rand_and_lim_or_else_every_method() -> None:
    methods = {"full": {"score": "full"}, "slope": {"score": "slope"}, "a": {"score": "lim"}, "b": {"score": "lim"}}
    assert compared_with_supervised(methods) == ["full", "a"]
    assert compared_with_supervised({"slope": {"score": "slope"}}) == ["slope"]
