"""Arguments that several commands share: their types, and notes in the words of the command line."""

import argparse

import pytest
from commands import exit_status, run_limr
from refusals import refused

from limr.cli import arguments
from limr.errors import LimrError, Setting, UsageError


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", ""])
def test_a_number_that_is_not_whole_and_positive_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError):
        arguments.positive(text)


def test_argparse_names_the_argument_of_a_value_of_the_wrong_type(capsys):
    assert exit_status("score", "nowhere", "-o", "-", "--samples", "0") == 2
    assert 'argument --samples: found "0", expected a whole number, 1 or more' in capsys.readouterr().err
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
