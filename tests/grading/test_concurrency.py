"""Threads of spawned and forked processes get the same verdicts as one thread that grades one response at a time.

The environment variable LIMR_GRADINGS sets the number of gradings; 100000 is the full size.
"""

import multiprocessing
import os
import random
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from equal_forms import equal_forms
from golds import distinct_golds
from wrong_forms import wrong_forms

from limr.grading import equal, equivalence
from limr.grading.cache import SingleFlight
from limr.grading.reward import Verdict, grade

GRADINGS = int(os.environ.get("LIMR_GRADINGS", "3000"))
THREADS = 4
PROCESSES = {"spawn": 2, "fork": 2}
SAMPLES = 8  # gradings of each distinct response
GOLDS = [r"\frac{\sqrt{3}}{2}", "x^2+2x+1", r"\left(3,\frac{\pi}{2}\right)", r"(-\infty,2]", "12", r"45^\circ", "1,2,3"]

Row = tuple[str, str]  # response and gold


def responses() -> Iterator[Row]:
    """Right and wrong answers: first to golds that mostly need computer algebra, then to the real golds."""
    for gold in [*GOLDS, *distinct_golds()]:
        for form in [*equal_forms(gold), *wrong_forms(gold)]:
            yield f"\\boxed{{{form.answer}}}", gold


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """Distinct responses drawn again and again, so that threads and processes grade the same pairs at the same time."""
    generator = random.Random(0)
    distinct = [row for row, _ in zip(responses(), range(GRADINGS // SAMPLES), strict=False)]
    return generator.choices(distinct, k=GRADINGS)


@pytest.fixture(scope="module")
def verdicts_of_one_thread(rows: list[Row]) -> dict[Row, Verdict]:
    return {row: grade(*row) for row in dict.fromkeys(rows)}


def grade_in_threads(rows: list[Row]) -> list[Verdict]:
    """Grade in threads, with an empty cache: a forked process inherits a full one."""
    equivalence._verdicts = SingleFlight(equivalence.CACHED_PAIRS)
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(lambda row: grade(*row), rows))


def test_threads_of_several_processes_get_the_verdicts_of_one_thread(rows, verdicts_of_one_thread):
    shares = [rows[start :: sum(PROCESSES.values())] for start in range(sum(PROCESSES.values()))]
    remaining = iter(shares)
    pools = [ProcessPoolExecutor(count, multiprocessing.get_context(kind)) for kind, count in PROCESSES.items()]
    running = [
        (share, pool.submit(grade_in_threads, share))
        for pool, count in zip(pools, PROCESSES.values(), strict=True)
        for share in [next(remaining) for _ in range(count)]
    ]
    verdicts = [
        (row, verdict) for share, future in running for row, verdict in zip(share, future.result(), strict=True)
    ]
    for pool in pools:
        pool.shutdown()
    assert len(verdicts) == GRADINGS
    assert [(row, verdict) for row, verdict in verdicts if verdict != verdicts_of_one_thread[row]] == []
    assert len({verdict.reward for _, verdict in verdicts}) > 1


def test_another_order_and_an_empty_cache_give_the_same_verdicts(rows, verdicts_of_one_thread, monkeypatch):
    monkeypatch.setattr(equivalence, "_verdicts", SingleFlight(8))
    backwards = list(dict.fromkeys(reversed(rows)))[:200]
    assert [grade(*row) for row in backwards] == [verdicts_of_one_thread[row] for row in backwards]


def test_eight_threads_are_no_slower_than_one(verdicts_of_one_thread, monkeypatch):
    load = os.getloadavg()[0]
    if load > 2 * (os.cpu_count() or 1):
        pytest.skip(f"the machine is too busy to compare times (load {load:.1f}): run it on an idle one")
    slow = [
        row
        for row in verdicts_of_one_thread
        if equal(row[1], verdicts_of_one_thread[row].answer or "").stage == "symbolic"
    ][:40]
    seconds = {1: [], 8: []}
    for _ in range(3):  # alternately, so that other load on the machine affects both
        for threads, times in seconds.items():
            monkeypatch.setattr(equivalence, "_verdicts", SingleFlight(equivalence.CACHED_PAIRS))
            started = time.perf_counter()
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(lambda row: grade(*row), slow))
            times.append(time.perf_counter() - started)
    assert len(slow) > 10
    # a machine without an idle core may take somewhat longer; tests/benchmarks/benchmark_grader.py measures the speed
    assert min(seconds[8]) < 1.5 * min(seconds[1]), seconds
