"""The exact reader agrees with the fast one, ignores unused values, and names the invalid value of a row."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from json_logs import rows_of, same, write_lines
from refusals import refused

from limr.logs.whole import read_log


@pytest.mark.parametrize(
    "unused",
    [b"NaN", b"-Infinity", b'"\xff\xfe"', b'"\\ud83d"', b"1e999", b'{"deep": [NaN, {"er": Infinity}]}', b'"\xe2\x82"'],
)
@pytest.mark.parametrize("key", [b"response", b"entropy"])
def test_an_unused_value_that_is_invalid_changes_nothing(tmp_path, key, unused):
    rows = rows_of(20)
    clean = read_log(write_lines(tmp_path / "rollouts.jsonl", rows))
    lines = [json.dumps({**row, key.decode(): 0}).encode() for row in rows]
    lines[7] = lines[7].replace(b'"' + key + b'": 0', b'"' + key + b'": ' + unused)
    (tmp_path / "rollouts.jsonl").write_bytes(b"\n".join(lines))
    assert unused in (tmp_path / "rollouts.jsonl").read_bytes()
    assert same(clean, read_log(tmp_path))


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "prompt": st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
                "reward": st.floats(-1, 1) | st.integers(-5, 5),
                "step": st.integers(0, 9),
                "correct": st.none() | st.booleans(),
            }
        ),
        min_size=1,
        max_size=20,
    ),
    st.booleans(),
)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_exact_reader_reads_the_same_as_the_fast_one(tmp_path, rows, ascii_only):
    fast = read_log(write_lines(tmp_path / "rollouts.jsonl", rows, ensure_ascii=ascii_only))
    write_lines(tmp_path / "rollouts.jsonl", [{**row, "loss": float("nan")} for row in rows], ensure_ascii=ascii_only)
    assert same(fast, read_log(tmp_path))


def test_empty_lines_and_a_byte_order_mark_do_not_shift_the_lines(tmp_path):
    rows = rows_of(3)
    text = "\ufeff" + json.dumps(rows[0]) + "\r\n\n  \n" + json.dumps(rows[1]) + "\n" + json.dumps(rows[2])
    (tmp_path / "rollouts.jsonl").write_text(text, encoding="utf-8", newline="")
    assert read_log(tmp_path).place.tolist() == [1, 4, 5]


@pytest.mark.parametrize(
    "change, found, expected",
    [
        ({"reward": float("nan")}, "NaN", "a number"),
        ({"reward": float("-inf")}, "-Infinity", "a number"),
        ({"reward": "1.0"}, '"1.0"', "a number"),
        ({"reward": True}, "true", "a number"),
        ({"step": 1.5}, "1.5", "a whole number"),
        ({"correct": "yes"}, '"yes"', "true or false or a number or null"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_line_key_and_value(tmp_path, change, found, expected):
    rows = rows_of(3)
    rows[1] |= change
    write_lines(tmp_path / "rollouts.jsonl", rows)
    with refused(where=("rollouts.jsonl", "line 2", f"key {next(iter(change))!r}"), found=found, expected=expected):
        read_log(tmp_path)


@pytest.mark.parametrize("key", ["reward", "prompt"])
def test_a_missing_key_is_named(tmp_path, key):
    rows = rows_of(3)
    del rows[1][key]
    write_lines(tmp_path / "rollouts.jsonl", rows)
    with refused(where=("rollouts.jsonl", "line 2", f"key {key!r}"), what="is missing"):
        read_log(tmp_path)


def test_a_prompt_that_is_not_utf_8_is_an_error(tmp_path):
    line = json.dumps(rows_of(1)[0]).encode()
    (tmp_path / "rollouts.jsonl").write_bytes(line + b"\n" + line.replace(b"Prompt 0", b"Prompt \xff") + b"\n")
    with refused(where=("line 2", "key 'prompt'"), found="Prompt", expected="text that is UTF-8"):
        read_log(tmp_path)


@pytest.mark.parametrize("cut, what", [(-5, "it is cut short"), (-40, "it is cut short")])
def test_a_line_that_is_cut_short_is_refused(tmp_path, cut, what):
    file = write_lines(tmp_path / "rollouts.jsonl", rows_of(3))
    file.write_bytes(file.read_bytes()[:cut])
    with refused(where=(file, "line 3"), what=what, expected="one object a line"):
        read_log(file)
