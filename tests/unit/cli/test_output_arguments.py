"""Outputs that cannot be written are refused before the work starts."""

import pytest
from commands import run_limr
from refusals import refused

from limr.cli.output_arguments import check_figure, check_output
from limr.errors import UsageError


@pytest.mark.parametrize(
    ("output", "parts"),
    [
        (
            "scores.csv",
            {"where": "scores.csv", "found": "the suffix '.csv'", "expected": ".parquet, .jsonl, or -"},
        ),
        ("noend", {"where": "noend", "found": "the suffix ''"}),
        ("", {"where": "an empty name", "found": "the suffix ''"}),
        ("{folder}/folder.jsonl", {"where": "folder.jsonl", "what": "it is a folder"}),
        ("{folder}/file/scores.jsonl", {"where": "scores.jsonl", "what": "is not a folder that you can write to"}),
    ],
)
def test_an_output_that_cannot_be_written_is_refused(tmp_path, output, parts):
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "file").write_text("")
    with refused(UsageError, **parts):
        check_output(output.format(folder=tmp_path), ".parquet", ".jsonl")


def test_missing_folders_of_an_output_are_created_later(tmp_path):
    check_output(str(tmp_path / "new" / "folder" / "scores.jsonl"), ".jsonl")
    check_output("-", ".jsonl")


def test_commands_check_their_outputs_before_they_read():
    for command in (["score", "nowhere"], ["select", "nowhere.parquet"]):
        with refused(UsageError, where="out.csv", found="the suffix '.csv'"):
            run_limr(*command, "-o", "out.csv")
    for command in (["score", "nowhere", "-o", "-"], ["early", "nowhere"]):
        with refused(UsageError, where="--figure", found="scores.pdf", expected="a file *.png"):
            run_limr(*command, "--figure", "scores.pdf")


def test_a_figure_in_a_folder_that_cannot_be_written_is_refused(tmp_path):
    check_figure(None)
    (tmp_path / "file").write_text("")
    with refused(UsageError, what="is not a folder that you can write to"):
        check_figure(str(tmp_path / "file" / "scores.png"))
