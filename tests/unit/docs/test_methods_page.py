"""docs/methods.md: its tables list all methods and rules, and its example adds a method."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from places import ROOT

import limr
from limr.selection.choose import RULES
from limr.selection.method import find_method, needs_trajectories, score_names

PAGE = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
CELLS = [re.split(r"(?<!\\)\|", line)[1:-1] for line in PAGE.splitlines() if line.startswith("| `")]
OPTIONS = {row[0].strip(" `"): row[3] for row in CELLS if len(row) == 5}  # the table of methods has five columns

ON_TRAJECTORIES = """
import doctest, yaml
from limr.configuration.check import check_configuration
from limr.selection.methods import gain
from limr.selection.scoring import score_prompts
from limr.trajectories import Trajectories

assert doctest.testmod(gain) == (0, 1)
methods = yaml.safe_load(open("methods.yaml"))
configuration = yaml.safe_load(open("configuration.yaml"))
configuration["trajectories"]["path"] = "curves.json"
configuration["methods"] |= methods
check_configuration(configuration)
curves = {"learned": [0.0, 0.5, 1.0], "solved": [1.0, 1.0, 1.0], "forgotten": [1.0, 0.0, 0.0]}
for name, row in methods.items():
    frame = score_prompts(name, row, Trajectories.from_curves(accuracies=curves), None, seed=0)
    print(frame.select("prompt_id", "score", "selected").rows())
"""


def block(language: str) -> str:
    return re.search(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[1]


def test_the_table_has_every_method_and_no_other():
    assert sorted(OPTIONS) == score_names()


@pytest.mark.parametrize("method", score_names())
def test_the_table_has_the_methods_options_with_their_defaults(method):
    options = {name: str(option.default) for name, option in find_method(method).options.items()}
    missing = options.pop("missing", None)
    assert (missing == "drop") == needs_trajectories(method), "the page explains this option below the table"
    assert dict(re.findall(r"`(\w+)=([^`]+)`", OPTIONS[method])) == options


def test_the_page_has_every_selection_rule():
    assert re.findall(r"^\| `\{(\w+): ", PAGE, re.MULTILINE) == list(RULES)


def test_one_file_and_one_line_add_a_method(tmp_path):
    """In a copy of the package and in another process, so that no other test sees the method."""
    package = Path(limr.__file__).parent
    shutil.copytree(package, tmp_path / "limr", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    (tmp_path / "limr/selection/methods/gain.py").write_text(block("python"), encoding="utf-8")
    shutil.copy(ROOT / "config/one_shot_rlvr.yaml", tmp_path / "configuration.yaml")
    (tmp_path / "methods.yaml").write_text(block("yaml"), encoding="utf-8")
    outcome = subprocess.run(
        [sys.executable, "-c", ON_TRAJECTORIES],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert outcome.stderr == ""
    assert yaml.safe_load(outcome.stdout.replace("(", "[").replace(")", "]")) == [
        ["learned", 0.5, True],
        ["solved", 0.0, False],
        ["forgotten", -0.5, False],
    ]
    assert "gain" not in score_names(), "only the copy has it"
