"""Pre-flight looks at the solutions, lengths and arguments of supervised fine-tuning, and only if there are any."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from places import ROOT
from refusals import has

from limr.errors import LimrError
from limr.preflight import inputs, software
from limr.preflight.facts import Facts

PAPER = yaml.safe_load((ROOT / "config" / "paper.yaml").read_text(encoding="utf-8"))
LIMO = {
    "solutions": {"source": "limo", "file": "no_such_file.jsonl"},
    "epochs": 15,
    "batch_size": 64,
    "learning_rates": [5e-6],
    "max_tokens": 16384,
}
ACCEPTS_EVERYTHING = """
if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    args = parser.parse_known_args()[0]
    train(args)
"""
NAMES_NO_ARGUMENT = ACCEPTS_EVERYTHING.replace("parse_known_args()[0]", "parse_args()")


@pytest.fixture
def facts(monkeypatch: pytest.MonkeyPatch) -> Facts:
    """Facts about the paper's run with one supervised row, of a model with 4,096 positions."""
    monkeypatch.setattr(Facts, "config", {"max_position_embeddings": 4096})
    return Facts(copy.deepcopy(PAPER) | {"supervised": {"limo": copy.deepcopy(LIMO)}})


def package(folder: Path, text: str) -> Path:
    """A folder that stands for the package openrlhf; ``text`` is the command of supervised fine-tuning."""
    files = {"cli/train_ppo_ray.py": ACCEPTS_EVERYTHING, "cli/train_sft.py": text, "utils/config.py": "hierarchize = 0"}
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def found(check: Any, facts: Facts) -> list[Any]:
    return list(check(facts))


def test_solutions_that_cannot_be_read_are_a_problem_of_their_row(facts: Facts) -> None:
    (problem,) = found(inputs.solutions, facts)
    assert isinstance(problem, LimrError)
    assert has(problem, {"where": ("supervised.limo.solutions", "no_such_file.jsonl")})


def test_solutions_longer_than_the_model_s_positions_are_reported_and_not_refused(facts: Facts) -> None:
    (text,) = found(inputs._beyond_positions, facts)
    assert "16,384 tokens train positions after the 4,096" in text


def test_arguments_go_through_the_parser_of_supervised_fine_tuning(
    facts: Facts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("limr.training.openrlhf.parser.installed", lambda: package(tmp_path / "a", ACCEPTS_EVERYTHING))
    assert found(software.arguments, facts)[-1].startswith("supervised.limo: OpenRLHF's own parser accepts")
    monkeypatch.setattr("limr.training.openrlhf.parser.installed", lambda: package(tmp_path / "b", NAMES_NO_ARGUMENT))
    problem = found(software.arguments, facts)[-1]
    assert isinstance(problem, LimrError)
    assert has(problem, {"where": "supervised.limo", "what": "unrecognized arguments"})


def test_a_configuration_without_supervised_rows_is_not_checked_for_them(facts: Facts) -> None:
    del facts.configuration["supervised"]
    assert found(inputs.solutions, facts) == found(inputs._beyond_positions, facts) == []
