"""The processes of the engines: their answers, and what happens when one dies or hangs. A stand-in replaces vLLM."""

import json
import os
import time

import psutil
import pytest
from refusals import refused
from vllm_stand_in import read_notes

from limr.evaluation import vllm_processes
from limr.evaluation.vllm_processes import Worker, answer_requests

REQUESTS = [([5, number], {"seed": number, "max_tokens": 6, "stop_token_ids": [1]}) for number in range(7)]


def answered(engines=1):
    return answer_requests(REQUESTS, {}, [dict(os.environ)] * engines, "test")


@pytest.mark.parametrize("engines", [1, 2, 7])
def test_answers_are_in_the_order_of_the_requests(notes, engines):
    assert answered(engines) == [([number, 4 + number, 4, 1], "stop") for number in range(7)]
    assert len(read_notes(notes)) == engines


@pytest.mark.parametrize(
    ("behaviour", "what"),
    [
        ("raise", "ended with status 1 before it had answered all requests; the end of its output: RuntimeError: "),
        ("raise", "CUDA out of memory"),
        ("die", "ended with status -9 before it had answered all requests"),
    ],
)
def test_when_an_engine_dies_the_error_comes_within_a_minute_and_no_process_is_left(
    notes, monkeypatch, behaviour, what
):
    monkeypatch.setenv("LIMR_STAND_IN", behaviour)
    started = time.monotonic()
    with refused(where="vLLM engine 0", what=what):
        answered(engines=2)
    assert time.monotonic() - started < 60
    assert not any(psutil.pid_exists(note["pid"]) for note in read_notes(notes))


def test_an_engine_without_a_heartbeat_is_killed(notes, monkeypatch):
    monkeypatch.setenv("LIMR_STAND_IN", "silent")
    monkeypatch.setattr(vllm_processes, "HEARTBEAT_TIMEOUT", 3.0)
    with refused(where="vLLM engine 0", what="sent no heartbeat for"):
        answered()
    assert not any(psutil.pid_exists(note["pid"]) for note in read_notes(notes))


def test_the_end_of_the_output_of_a_dead_engine_is_logged(notes, monkeypatch, caplog):
    monkeypatch.setenv("LIMR_STAND_IN", "raise")
    with refused(where="vLLM engine 0"):
        answered()
    assert "vLLM engine 0: INFO loading weights" in caplog.messages


def test_python_files_in_the_current_folder_are_not_run(notes, tmp_path, monkeypatch):
    folder = tmp_path / "current"
    folder.mkdir()
    for name in ("json.py", "vllm_stand_in.py"):
        (folder / name).write_text("raise SystemExit('a file of the current folder ran')")
    monkeypatch.chdir(folder)
    assert len(answered()) == len(REQUESTS)


def test_an_incomplete_line_is_read_when_it_is_complete(tmp_path):
    worker = Worker(tmp_path, 0, [10, 11])
    line = json.dumps([1, [5, 6], "stop"])
    with worker.answers.open("a") as stream:
        for part, expected in (("\n" + line[:4], [None]), (line[4:], []), ("\n", [(11, ([5, 6], "stop"))])):
            stream.write(part)
            stream.flush()
            assert worker.read_new() == expected
