"""`limr export`: wrong usage, and the arguments that it prints for the framework."""

import json

import pytest
from commands import exit_status, run_limr
from refusals import refused

from limr.cli import export
from limr.errors import UsageError
from limr.subsets import trainer_files


@pytest.fixture
def subset(tmp_path):
    (tmp_path / "subset.jsonl").write_text(json.dumps({"prompt": "What is 1 + 1?", "answer": "2"}) + "\n")
    return tmp_path / "subset.jsonl"


def test_the_file_is_written_and_the_arguments_of_the_framework_are_printed(subset, tmp_path, capsys):
    output = tmp_path / "train.jsonl"
    assert exit_status("export", subset, "--to", "openrlhf", "-o", output) == 0
    assert json.loads(output.read_text())["label"] == "2"
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"limr export: {output}: 1 prompt for openrlhf: --data.prompt_dataset {output}" in printed.err


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (
            ["verl", "-o", "train.jsonl"],
            {"where": "train.jsonl", "what": "verl reads Parquet", "expected": ".parquet"},
        ),
        (["trl", "-o", "train.parquet"], {"where": "train.parquet", "what": "trl reads JSON", "expected": "*.jsonl"}),
        (["verl", "-o", "train.parquet", "--plain"], {"what": "`--plain` is not possible", "expected": "messages"}),
        (["trl", "-o", "train.jsonl", "--plain", "--system", "Think."], {"what": "exclude each other"}),
    ],
)
def test_options_that_the_framework_cannot_use_are_wrong_usage(subset, arguments, parts):
    with refused(UsageError, **parts):
        run_limr("export", subset, "--to", *arguments)


def test_the_frameworks_are_those_of_the_library():
    assert set(export.FRAMEWORKS) == set(trainer_files.FRAMEWORKS)


def test_an_unknown_column_is_wrong_usage(subset):
    with refused(UsageError, where="--column", found="label", expected="one of prompt, answer"):
        run_limr("export", subset, "--to", "trl", "-o", "-", "--column", "label=x")
