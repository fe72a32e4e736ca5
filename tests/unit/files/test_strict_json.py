"""JSON is read as it is; what Python's parser would drop or change in silence is refused with its place."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused

from limr.files.strict_json import MOST_NESTED, parse_json


def parsed(text, line=3):
    return parse_json(text if isinstance(text, bytes) else text.encode(), "rows.jsonl", "one object", line)


def nested(depth):
    return "[" * depth + "1" + "]" * depth


keys = st.text(max_size=3)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=10,
)


@given(values.filter(lambda value: "Infinity" not in json.dumps(value)))
def test_every_value_is_read_unchanged(value):
    again = parsed(json.dumps(value))
    assert again == value and repr(again) == repr(value)


@pytest.mark.parametrize(
    "text",
    ["9007199254740993", "-" + "9" * 4300, nested(MOST_NESTED), r'"\ud83d"', r'"\u0000"', "NaN", "-Infinity", "{}"],
)
def test_odd_values_are_read_as_by_the_standard_library(text):
    assert repr(parsed(text)) == repr(json.loads(text))


def test_a_byte_order_mark_and_white_space_around_a_value_are_skipped():
    assert parsed("\ufeff [1] \r\n".encode()) == [1]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("9" * 4301, {"what": "a whole number is too long", "expected": "at most 4,300 digits"}),
        ('{"a": [1e999]}', {"what": "too large for a 64-bit float", "found": "1e999"}),
        ('[{"a": 1, "b": 2, "a": 3}]', {"what": "more than once", "found": '"a"'}),
        (nested(MOST_NESTED + 1), {"what": "nested too deeply", "expected": "one object"}),
        (nested(900), {"what": "nested too deeply"}),
        (nested(200_000), {"what": "nested too deeply"}),
        ('{"a": "\x00"}', {"what": "not JSON (Invalid control character, after 7 char", "expected": "one object"}),
        ('{"a": "b', {"what": "not JSON (Unterminated string, after 6 characters)"}),
        ('{"a": 1}{"a": 1}', {"what": "not JSON (Extra data"}),
        (b'{"a": "\xff"}', {"what": "not UTF-8 (byte 7)"}),
        ('{"a": 1}'.encode("utf-16"), {"what": "not UTF-8", "advice": "UTF-16"}),
        ('{"a": 1}'.encode("utf-16-le"), {"what": "not JSON", "advice": "UTF-16"}),
        ('{"a": 1}'.encode("utf-16-be"), {"what": "not JSON", "advice": "UTF-16"}),
    ],
)
def test_what_would_be_dropped_or_changed_is_refused_with_its_line(text, parts):
    with refused(where=("rows.jsonl", "line 3"), **parts):
        parsed(text)


def test_in_a_whole_file_the_line_of_a_fault_is_counted():
    with refused(where=("rows.json", "line 2"), what="not JSON"):
        parse_json(b"[1,\n2 3]", "rows.json", "one list")
