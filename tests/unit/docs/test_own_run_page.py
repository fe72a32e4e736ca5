"""Every command of docs/own_run.md runs exactly as written, one after the other, on a small run."""

import json
import re
import shlex

import polars as pl
import pytest
from a_run import write_run
from places import ROOT

from limr.cli.main import main

PAGE = ROOT / "docs" / "own_run.md"
COMMANDS = re.findall(r"^\$ limr (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The files that the page names: rollouts/, train.parquet, questions.jsonl, table.csv and acc_step_500.json."""
    folder = tmp_path_factory.mktemp("own_run")
    log = write_run(folder)
    files = sorted(log.iterdir(), key=lambda path: int(path.stem))
    rows = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    pl.DataFrame(rows).rename({"input": "question"}).select("question", "score", "step").write_csv(folder / "table.csv")
    curves = {str(n): [min(8, (n % 9) * visit // 40) / 8 for visit in range(50)] for n in range(300)}
    (folder / "acc_step_500.json").write_text(json.dumps(curves))
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_runs(folder, monkeypatch, command):
    monkeypatch.chdir(folder)
    quick = ["--resamples", "2"] if command.startswith("early ") else []  # the bootstrap is slow
    assert main([*shlex.split(command), *quick]) == 0


def test_the_page_uses_every_command_for_an_own_run():
    assert {command.split()[0] for command in COMMANDS} == {
        "audit", "score", "select", "export", "compare", "early", "rollouts"
    }  # fmt: skip
