"""Options of a score method: declared by a signature, read from text, and checked."""

from typing import Annotated

import pytest
from refusals import refused

from limr.selection.options import Option, Range, Share, declared_options


def method(
    values,
    seed,
    *,
    share: Share = 0.5,
    visits: Annotated[int, Range(1)] = 3,
    scale: float = 1.0,
    name: str = "x",
    strict: bool = False,
):
    """A method with an option of every type."""


OPTIONS = declared_options(method)


def test_keyword_only_parameters_are_options_with_type_default_and_range():
    assert {name: (option.kind, option.default) for name, option in OPTIONS.items()} == {
        "share": (float, 0.5),
        "visits": (int, 3),
        "scale": (float, 1.0),
        "name": (str, "x"),
        "strict": (bool, False),
    }
    assert (OPTIONS["share"].range, OPTIONS["visits"].range, OPTIONS["scale"].range) == (Range(0, 1), Range(1), Range())


@pytest.mark.parametrize(
    ("option", "text", "value"),
    [
        ("share", "1", 1.0),
        ("visits", "12", 12),
        ("scale", "-1e3", -1000.0),
        ("name", "12", "12"),
        ("strict", "True", True),
        ("strict", "false", False),
    ],
)
def test_text_becomes_a_value_of_the_options_type(option, text, value):
    found = OPTIONS[option].parse(text)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("option", "text", "expected"),
    [
        ("share", "1.5", "a number from 0 to 1"),
        ("share", "half", "a number from 0 to 1"),
        ("visits", "0", "a whole number of at least 1"),
        ("visits", "2.5", "a whole number of at least 1"),
        ("scale", "nan", "a number"),
        ("scale", "inf", "a number"),
        ("strict", "yes", "true or false"),
    ],
)
def test_text_that_the_option_does_not_take_is_refused(option, text, expected):
    with refused(where=f"option {option}", expected=expected):
        OPTIONS[option].parse(text)


@pytest.mark.parametrize(
    ("option", "value", "found"),
    [
        ("share", True, "true"),
        ("share", "0.5", '"0.5"'),
        ("visits", 2.0, "2.0"),
        ("scale", float("nan"), "NaN"),
        ("scale", None, "null"),
        ("name", 3, "3"),
        ("strict", 1, "1"),
    ],
)
def test_a_value_that_the_option_does_not_take_is_refused(option, value, found):
    with refused(where=f"option {option}", found=found, expected=OPTIONS[option].expected):
        OPTIONS[option].check(value)


def test_an_option_with_choices_takes_no_other_value():
    signal = Option("signal", "reward", str, choices=("reward", "accuracy"))
    assert signal.parse("accuracy") == "accuracy"
    for value in ("rewards", ["reward"], None):
        with refused(where="option signal", expected="one of reward, accuracy"):
            signal.check(value)
