"""The score method, its options, and which prompts are kept."""

import argparse

import pytest
from commands import run_limr
from refusals import refused

from limr.cli import method_arguments
from limr.errors import UsageError
from limr.selection.agreement import PAPER_SHARE
from limr.selection.choose import RULES


def test_options_get_the_types_that_the_method_declares():
    assert method_arguments.method_settings("pass_rate_band", [("lowest", "0.25"), ("missing", "next")]) == {
        "score": "pass_rate_band",
        "options": {"lowest": 0.25, "missing": "next"},
    }


@pytest.mark.parametrize(
    ("wrong", "parts"),
    [
        (["--method", "lmi"], {"what": "unknown score 'lmi'", "expected": "lim"}),
        (
            ["--option", "signals=reward"],
            {"where": "score 'lim'", "what": "unknown option 'signals'", "expected": "signal, missing, best_reward"},
        ),
        (
            ["--option", "best_reward=high"],
            {"where": "option best_reward", "found": "high", "expected": "a number"},
        ),
        (
            ["--option", "best_reward=1e308"],  # its square overflows, and every prompt would score 1
            {"where": "option best_reward", "found": "1e+308", "expected": "a number from -1000000000 to 1000000000"},
        ),
    ],
)
def test_a_wrong_method_or_option_is_refused_before_the_log_is_read(wrong, parts):
    with refused(UsageError, **parts):
        run_limr("score", "nowhere", "-o", "-", *wrong)


@pytest.mark.parametrize(
    ("text", "rule"),
    [("all", "all"), ("top=3", {"top": 3}), ("share=0.2", {"share": 0.2}), ("theta=-1", {"theta": -1})],
)
def test_keep_becomes_a_selection_rule(text, rule):
    assert method_arguments.keep(text) == rule


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("theta", {"where": "--keep", "found": '"theta"', "expected": "all, or one of theta=NUMBER, top=NUMBER"}),
        ("best=3", {"where": "--keep", "found": '"best=3"', "expected": ", ".join(f"{rule}=NUMBER" for rule in RULES)}),
        ("all=3", {"where": "--keep", "found": '"all=3"', "expected": "all, or one of"}),
        ("theta=high", {"where": ("--keep", "theta"), "found": '"high"', "expected": "a number"}),
        ("share=2", {"where": ("keep", "share"), "found": "2", "expected": "a fraction above 0"}),
        ("top=2.5", {"where": ("keep", "top"), "found": "2.5", "expected": "a whole number of prompts"}),
        (
            f"theta={'9' * 400}",
            {"where": ("--keep", "theta"), "found": '"999', "expected": "a number from -1"},
        ),
        ("top=1e308", {"where": ("--keep", "top"), "found": '"1e308"', "expected": "to 1,000,000,000,000,000"}),
        ("theta=nan", {"where": ("--keep", "theta"), "found": '"nan"', "expected": "a number"}),
        ("theta_for=0", {"where": ("keep", "theta_for"), "found": "0", "expected": "a whole number of prompts"}),
    ],
)
def test_an_unknown_rule_or_wrong_number_is_wrong_usage(text, parts):
    with refused(UsageError, **parts):
        run_limr("select", "nowhere.parquet", "-o", "-", "--keep", text)


def test_the_help_names_every_rule():
    listed = [line.split("=")[0].split()[0] for line in method_arguments.KEEP.splitlines()[1:]]
    assert set(listed) == {*RULES, "all"}


def test_the_default_share_is_the_papers_share_rounded():
    assert round(PAPER_SHARE, 3) == method_arguments.PAPER_SHARE


@pytest.mark.parametrize("text", ["0", "1", "1.5", "many", "nan"])
def test_the_share_of_top_is_between_0_and_1(text):
    with pytest.raises(argparse.ArgumentTypeError):
        method_arguments._share(text)
