"""Rows of JSON text: fast and exact agree, blocks and processes change nothing, faults have their place."""

import json
import signal
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from limr.errors import LimrError
from limr.logs import json_rows
from limr.logs.log import Log
from limr.logs.parallel import run_in_order
from limr.logs.whole import read_log


def write_lines(file: Path, rows: list[dict], **how: bool) -> Path:
    file.write_text("".join(json.dumps(row, **how) + "\n" for row in rows), encoding="utf-8")
    return file


def rows_of(n_rows: int) -> list[dict]:
    return [
        {
            "prompt": f"Prompt {row % 7}\\",
            "step": row // 10,
            "reward": (row % 3) / 2,
            "response": '{"reward": 9}\n' * row,
        }
        for row in range(n_rows)
    ]


def same(one: Log, other: Log) -> bool:
    assert [prompt.prompt_id for prompt in one.prompts] == [prompt.prompt_id for prompt in other.prompts]
    columns = ("prompt", "step", "reward", "correct", "place")
    return all(np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in columns)


def test_what_is_read_is_what_was_written(tmp_path):
    rows = rows_of(50)
    log = read_log(write_lines(tmp_path / "rollouts.jsonl", rows))
    assert [log.prompts[row].text for row in log.prompt] == [row["prompt"] for row in rows]
    assert log.step.tolist() == [row["step"] for row in rows]
    assert log.reward.tolist() == [row["reward"] for row in rows]
    assert log.place.tolist() == list(range(1, 51))


def test_a_list_is_read_like_lines(tmp_path):
    rows = rows_of(50)
    lines = read_log(write_lines(tmp_path / "rollouts.jsonl", rows))
    (tmp_path / "rollouts.json").write_text(json.dumps(rows, indent=4), encoding="utf-8")
    whole = read_log(tmp_path / "rollouts.json")
    assert whole.place.tolist() == list(range(50))
    whole.place[:] += 1
    assert same(lines, whole)


@pytest.mark.parametrize(
    "nobody_needs",
    [b"NaN", b"-Infinity", b'"\xff\xfe"', b'"\\ud83d"', b"1e999", b'{"deep": [NaN, {"er": Infinity}]}', b'"\xe2\x82"'],
)
@pytest.mark.parametrize("key", [b"response", b"entropy"])
def test_what_stands_in_fields_that_nobody_needs_changes_nothing(tmp_path, key, nobody_needs):
    rows = rows_of(20)
    clean = read_log(write_lines(tmp_path / "rollouts.jsonl", rows))
    lines = [json.dumps({**row, key.decode(): 0}).encode() for row in rows]
    lines[7] = lines[7].replace(b'"' + key + b'": 0', b'"' + key + b'": ' + nobody_needs)
    (tmp_path / "rollouts.jsonl").write_bytes(b"\n".join(lines))
    assert nobody_needs in (tmp_path / "rollouts.jsonl").read_bytes()
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
def test_the_exact_way_reads_what_the_fast_way_reads(tmp_path, rows, ascii_only):
    fast = read_log(write_lines(tmp_path / "rollouts.jsonl", rows, ensure_ascii=ascii_only))
    write_lines(tmp_path / "rollouts.jsonl", [{**row, "loss": float("nan")} for row in rows], ensure_ascii=ascii_only)
    assert same(fast, read_log(tmp_path))


def test_empty_lines_and_a_mark_at_the_start_do_not_shift_the_lines(tmp_path):
    rows = rows_of(3)
    text = "\ufeff" + json.dumps(rows[0]) + "\r\n\n  \n" + json.dumps(rows[1]) + "\n" + json.dumps(rows[2])
    (tmp_path / "rollouts.jsonl").write_text(text, encoding="utf-8", newline="")
    assert read_log(tmp_path).place.tolist() == [1, 4, 5]


@pytest.mark.parametrize("block_bytes", [1, 3000])
def test_blocks_in_processes_make_the_same_log(tmp_path, monkeypatch, block_bytes):
    files = [write_lines(tmp_path / f"step_{number}.jsonl", rows_of(30 + number)) for number in (1, 2, 10)]
    at_once = read_log(tmp_path)
    monkeypatch.setattr(json_rows, "BLOCK_BYTES", block_bytes)
    assert len(list(json_rows._blocks(files[0]))) > 1
    assert same(at_once, read_log(tmp_path))
    assert read_log(tmp_path).files == list(map(str, files))


def test_a_fault_in_a_later_block_has_its_line_in_the_file(tmp_path, monkeypatch):
    rows = rows_of(40)
    rows[33]["reward"] = None
    file = write_lines(tmp_path / "rollouts.jsonl", rows)
    monkeypatch.setattr(json_rows, "BLOCK_BYTES", 2000)
    with pytest.raises(LimrError, match=r"rollouts.jsonl: line 34: key 'reward': found null, expected number"):
        read_log(file)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"reward": float("nan")}, "line 2: key 'reward': found NaN, expected number"),
        ({"reward": float("-inf")}, "line 2: key 'reward': found -Infinity, expected number"),
        ({"reward": "1.0"}, "line 2: key 'reward': found \"1.0\", expected number"),
        ({"reward": True}, "line 2: key 'reward': found true, expected number"),
        ({"step": 1.5}, "line 2: key 'step': found 1.5, expected int"),
        ({"step": None}, "line 2: key 'step': is missing here, and not in other rows"),
        ({"correct": "yes"}, "line 2: key 'correct': found \"yes\", expected bool | number | null"),
        ({"prompt": 7}, "line 2: key 'prompt': found 7, expected text, or a list of chat messages"),
        ({"prompt": None}, "line 2: key 'prompt': found null, expected text, or a list of chat messages"),
        ({"prompt": "half \ud83d"}, "line 2: key 'prompt': found \"half .*\", expected text that is UTF-8"),
    ],
)
def test_a_row_that_does_not_fit_is_named_with_line_key_and_value(tmp_path, change, message):
    rows = rows_of(3)
    rows[1] |= change
    write_lines(tmp_path / "rollouts.jsonl", rows)
    with pytest.raises(LimrError, match=f"rollouts.jsonl: {message}"):
        read_log(tmp_path)


@pytest.mark.parametrize("key", ["reward", "prompt"])
def test_a_missing_key_is_named(tmp_path, key):
    rows = rows_of(3)
    del rows[1][key]
    write_lines(tmp_path / "rollouts.jsonl", rows)
    with pytest.raises(LimrError, match=f"rollouts.jsonl: line 2: key {key!r}:? is missing"):
        read_log(tmp_path)


def test_a_prompt_that_is_not_utf_8_is_an_error(tmp_path):
    line = json.dumps(rows_of(1)[0]).encode()
    (tmp_path / "rollouts.jsonl").write_bytes(line + b"\n" + line.replace(b"Prompt 0", b"Prompt \xff") + b"\n")
    with pytest.raises(LimrError, match=r"line 2: key 'prompt': found .*expected text that is UTF-8"):
        read_log(tmp_path)


def test_responses_of_10_megabytes_do_not_stop_the_reader(tmp_path):
    rows = [{**row, "response": "x\\\n" * 2_500_000} for row in rows_of(3)]
    log = read_log(write_lines(tmp_path / "rollouts.jsonl", rows))
    assert log.reward.tolist() == [row["reward"] for row in rows]


def test_prompts_that_differ_in_white_space_are_one_prompt(tmp_path):
    rows = [{"prompt": prompt, "reward": 0} for prompt in ("What is  2+2?", " What is\n2+2?", "What is 2+3?")]
    log = read_log(write_lines(tmp_path / "rollouts.jsonl", rows))
    assert len(log.prompts) == 2
    assert log.prompt[0] == log.prompt[1] != log.prompt[2]


@pytest.mark.parametrize(
    "rewards, logged, expected",
    [
        ([1.0, -0.5, -1.0], None, [1, 0, 0]),
        ([1.0, 0.0, 0.0], None, [1, 0, 0]),
        ([0.5, -0.5, 0.0], None, None),  # 1 is not among them
        ([2.0, 1.0, 0.0], None, None),  # nor is it the highest
        ([1.0, 0.3, 0.2, 0.1], None, None),  # a reward model's
        ([1.0, 0.0], [False, True], [0, 1]),
        ([1.0, 0.0], [0.25, None], [0.25, np.nan]),
        ([1.0, -1.0], [1.0, -1.0], [1, 0]),  # a score by another name
    ],
)
def test_correctness_is_the_logs_or_follows_from_a_rules_rewards_or_is_unknown(tmp_path, rewards, logged, expected):
    rows = [{"prompt": "2+2?", "reward": reward} for reward in rewards]
    for row, correct in zip(rows, logged or (), strict=False):
        row["correct"] = correct
    log = read_log(write_lines(tmp_path / "rollouts.jsonl", rows))
    assert np.array_equal(log.correct, np.full(len(rows), np.nan) if expected is None else expected, equal_nan=True)


def test_processes_answer_in_order():
    assert list(run_in_order(abs, range(-20, 0))) == list(range(20, 0, -1))


def test_what_a_process_raises_comes_in_its_turn_as_it_is():
    results = run_in_order(partial(int, base=10), ["1", "2", "x", "4"])
    assert [next(results), next(results)] == [1, 2]
    with pytest.raises(ValueError, match="invalid literal"):
        next(results)


def test_a_process_that_is_killed_is_named_with_what_it_read():
    with pytest.raises(LimrError, match=f"{int(signal.SIGKILL)}: the process that read it ended with status -9"):
        list(run_in_order(signal.raise_signal, [int(signal.SIGKILL)]))
