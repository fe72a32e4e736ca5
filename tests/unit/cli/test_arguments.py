"""Arguments that several commands share: their types, and notes in the words of the command line."""

import argparse

import pytest
from commands import exit_status, run_limr
from refusals import refused

from limr.cli import arguments
from limr.errors import LimrError, Setting, UsageError, shown

HUGE = "9" * 5000  # Python converts at most 4,300 digits


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", "", "nan", "1e3", "1001", HUGE])
def test_a_number_that_is_not_whole_or_out_of_range_is_refused(text):
    assert arguments.whole_number(1, 1000)("1000") == 1000
    with pytest.raises(argparse.ArgumentTypeError, match=r"expected a whole number from 1 to 1,000$"):
        arguments.whole_number(1, 1000)(text)


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e400", "1e16", HUGE, "many", ""])
def test_a_number_that_is_not_finite_or_huge_is_refused(text):
    assert arguments.number("-1e-3") == -0.001
    with pytest.raises(argparse.ArgumentTypeError, match=r"expected a number from -1,000,000,000,000,000 to 1,0"):
        arguments.number(text)


OUT_OF_RANGE = [
    ("audit", "--samples", "99999999999999999999", "a whole number from 1 to 1,000,000,000"),
    ("audit", "--steps-per-epoch", "99999999999999999999", "a whole number from 1 to 1,000,000,000"),
    ("compare", "--visits", HUGE, "a whole number from 1 to 1,000,000,000"),
    ("compare", "--seed", "-1", "a whole number from 0 to 2,147,483,647"),
    ("early", "--seed", "2147483648", "a whole number from 0 to 2,147,483,647"),
    ("early", "--resamples", "10000000000000", "a whole number from 1 to 10,000"),
    ("early", "--theta", "nan", arguments.A_NUMBER),
    ("early", "--top", "nan", "a share of the prompts between 0 and 1"),
    ("compare", "--top", "1e400", "a share of the prompts between 0 and 1"),
]


@pytest.mark.parametrize(("command", "option", "value", "expected"), OUT_OF_RANGE)
def test_a_number_out_of_range_is_wrong_usage(capsys, command, option, value, expected):
    assert exit_status(command, "nowhere", option, value) == 2
    assert f"argument {option}: found {shown(value)}, expected {expected}\n" in capsys.readouterr().err


def test_argparse_names_the_argument_of_a_value_of_the_wrong_type(capsys):
    assert exit_status("score", "nowhere", "-o", "-", "--samples", "0") == 2
    assert 'argument --samples: found "0", expected a whole number from 1 to' in capsys.readouterr().err
    assert exit_status("score", "nowhere", "-o", "-", "--option", "signal") == 2
    assert 'argument --option: found "signal", expected NAME=VALUE' in capsys.readouterr().err


@pytest.mark.parametrize("text", ["a", "=1", "a="])
def test_a_pair_needs_a_name_and_a_value(text):
    assert arguments.split_pair(text) is None


def test_an_unknown_column_of_a_data_set_is_refused():
    with refused(UsageError, where="--column", found="reward", expected="one of prompt, prompt_id"):
        run_limr("select", "nowhere.parquet", "-o", "-", "--prompts", "data.jsonl", "--column", "reward=r")


def test_notes_name_arguments_and_go_to_standard_error(capsys):
    error = LimrError("no accuracy", advice=["Set ", Setting("visits", 3), "."])
    arguments.note("score", "done", ["use ", Setting("steps_per_epoch")], error.inside("left out"))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        "limr score: done",
        "limr score: use `--steps-per-epoch`",
        "limr score: left out: no accuracy. Set `--visits 3`.",
    ]


def test_a_package_is_required_without_importing_it():
    arguments.require("limr")
    with pytest.raises(ModuleNotFoundError) as raised:
        arguments.require("no_such_package")
    assert raised.value.name == "no_such_package"
