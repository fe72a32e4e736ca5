"""The examples in the help of every command run."""

import json
import re
import shlex

import polars as pl
import pytest
from a_run import INSTRUCTION, PROMPTS, write_run
from commands import exit_status

from limr.prompts import prompt_id

COMMANDS = ["score", "select", "export", "audit", "compare", "early", "rollouts"]

# the run of the tests is smaller than the runs of the examples
SMALLER = {"--samples 16 --steps-per-epoch 58": "--samples 4 --steps-per-epoch 4", "top=1000": "top=10"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The files that the examples name: rollouts/, table.csv, train.parquet, data.jsonl, data.csv, and outputs."""
    folder = tmp_path_factory.mktemp("help")
    log = write_run(folder)
    files = sorted(log.iterdir(), key=lambda path: int(path.stem))
    rows = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    pl.DataFrame(rows).rename({"input": "question"}).select("question", "score", "step").write_csv(folder / "table.csv")
    questions = pl.DataFrame({"question": list(PROMPTS), "answer": list(PROMPTS.values())})
    questions.write_ndjson(folder / "data.jsonl")
    ids = [prompt_id(f"{question} {INSTRUCTION}") for question in PROMPTS]
    questions.with_columns(index=pl.Series(ids)).write_csv(folder / "data.csv")
    return folder


def examples(text):
    """The commands of a help text, each without a pipe, a redirection or the comment at the end."""
    for line in re.findall(r"^  \$ limr (.+)$", text, re.MULTILINE):
        yield re.split(r" \| | > |   +", line)[0]


def test_every_example_runs(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    found = {}
    for command in COMMANDS:
        assert exit_status(command, "--help") == 0
        found[command] = list(examples(capsys.readouterr().out))
    for command, lines in found.items():
        assert len(lines) > 1, command
        for line in lines:
            for large, small in SMALLER.items():
                line = line.replace(large, small)
            quick = ["--resamples", "2"] if command == "early" else []
            assert exit_status(*shlex.split(line), *quick) == 0, (line, capsys.readouterr().err)


def test_the_examples_of_the_program_run(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    assert exit_status("--help") == 0
    lines = list(examples(capsys.readouterr().out))
    assert [line.split()[0] for line in lines] == ["audit", "score", "select", "export"]
    for line in lines:
        assert exit_status(*shlex.split(line)) == 0, (line, capsys.readouterr().err)
