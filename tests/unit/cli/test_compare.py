"""`limr compare`: methods side by side."""

import csv
import io
import json

import pytest
from commands import exit_status, run_limr
from refusals import refused

from limr.errors import UsageError
from limr.selection.method import score_names


def test_methods_are_compared_in_markdown_or_csv(rollouts, capsys):
    assert exit_status("compare", rollouts, "--methods", "lim,linear,lim:signal=accuracy", "--top", "0.2") == 0
    printed = capsys.readouterr().out
    assert printed.startswith("# Methods side by side")
    assert "| lim:signal=accuracy |" in printed
    assert exit_status("compare", rollouts, "--csv") == 0
    pairs = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["first"] for row in pairs} | {row["second"] for row in pairs} == set(score_names()) - {"full"}


@pytest.mark.parametrize(
    ("methods", "parts"),
    [
        ("lim", {"where": "--methods", "found": "lim", "expected": "two or more methods"}),
        ("lim,lim", {"where": "--methods", "what": "the same method twice", "found": "lim"}),
        ("lim, lim", {"where": "--methods", "what": "the same method twice", "found": "lim"}),
        ("lim,lmi", {"what": "unknown score 'lmi'"}),
        ("lim,linear:x", {"where": ("--methods", "linear:x"), "found": '"x"', "expected": "OPTION=VALUE"}),
        ("lim,linear:x=1", {"where": "score 'linear'", "what": "unknown option 'x'"}),
    ],
)
def test_wrong_methods_are_wrong_usage(methods, parts):
    with refused(UsageError, **parts):
        run_limr("compare", "nowhere", "--methods", methods)


def test_a_method_that_cannot_score_the_source_is_left_out_unless_it_was_named(tmp_path, capsys):
    rewards = [
        {"prompt": f"p{number}", "reward": (number * 7 + epoch * 3) % 11 / 10, "step": epoch}
        for epoch in range(4)
        for number in range(10)
        for _ in range(2)
    ]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rewards))
    assert exit_status("compare", tmp_path / "log.jsonl", "--top", "0.2") == 0
    printed = capsys.readouterr()
    left_out = [line for line in printed.err.splitlines() if line.startswith("limr compare: left out: ")]
    assert any("linear" in line and "accuracy is known for 0 of 40 visits" in line for line in left_out)
    assert "| lim |" in printed.out
    with refused(what="accuracy is known for 0 of 40 visits"):
        run_limr("compare", tmp_path / "log.jsonl", "--methods", "lim,linear")
