"""Hostile answers: none raises, hangs, runs code, uses unlimited memory, is judged equal, or delays other answers.

Every answer is graded against one gold; with LIMR_FULL_HOSTILE=1 against every gold (minutes). Plain Math-Verify has no
guard, so it often reaches its limit of CPU time: by default it grades one answer in twelve, at least one per family.
"""

import itertools
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from golds import all_golds
from hostile import FAMILIES, GOLDS, MARK, Hostile, corpus, responses
from places import SUPPORT
from processes import MemoryPeak, Stopwatch

from limr.grading import equal
from limr.grading.equivalence import GRADERS, LIMR, MATH_VERIFY
from limr.grading.reward import grade

FULL = os.environ.get("LIMR_FULL_HOSTILE") == "1"
CPU_LIMIT = 2.0  # seconds for one comparison
DEADLINE = 1.0  # more seconds, in which the worker ends and this process reads megabytes of text
MEMORY_LIMIT = 2**30
SLACK = 200 * 2**20  # for the interpreter, its libraries, and the answers, up to megabytes of text
ONE_IN = {LIMR: 1, MATH_VERIFY: 1 if FULL else 12}
EQUAL_BY_MATH_VERIFY = {("5", "5'")}  # it drops the prime


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> list[Hostile]:
    return corpus(tmp_path_factory.mktemp("hostile") / MARK)


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    """Start the workers before anything is timed."""
    for grader in GRADERS:
        equal("x^2+2x+1", "(x+1)^2", grader)


def of_family(everything: list[Hostile], family: str) -> list[tuple[str, str]]:
    """Pairs of gold and answer: each answer with one of the golds in turn, or with every gold."""
    answers = [hostile.answer for hostile in everything if hostile.family == family]
    if FULL:
        return [(gold, answer) for answer in answers for gold in GOLDS]
    start = list(FAMILIES).index(family)
    return [(GOLDS[(start + place) % len(GOLDS)], answer) for place, answer in enumerate(answers)]


def shortened(text: str) -> str:
    return ascii(text if len(text) <= 60 else f"{text[:40]} [{len(text)} characters] {text[-10:]}")


def test_the_corpus_and_every_family_of_it_are_large(everything):
    assert len(everything) >= 300
    assert all(sum(hostile.family == name for hostile in everything) >= 10 for name in FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("grader", GRADERS)
def test_each_answer_is_refused_within_its_limits(everything, family, grader):
    defects = []
    watch = Stopwatch()
    with MemoryPeak() as peak:
        for gold, answer in of_family(everything, family)[:: ONE_IN[grader]]:
            used = watch.seconds(lambda gold=gold, answer=answer: equal(gold, answer, grader))
            verdict = equal(gold, answer, grader)
            if verdict.equal and (grader == LIMR or (gold, answer) not in EQUAL_BY_MATH_VERIFY):
                defects.append(("equal", gold, shortened(answer)))
            if used > CPU_LIMIT + DEADLINE:
                defects.append((f"{used:.1f} CPU-seconds", gold, shortened(answer)))
    assert not defects
    assert peak.largest_descendant < MEMORY_LIMIT + SLACK
    assert peak.growth < SLACK


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("grader", GRADERS)
def test_each_whole_response_is_graded_as_not_correct(everything, family, grader):
    defects = []
    watch = Stopwatch()
    for gold, answer in of_family(everything, family)[:: 1 if FULL else 5 * ONE_IN[grader]]:
        for response in responses(answer):
            used = watch.seconds(lambda gold=gold, response=response: grade(response, gold, grader=grader))
            verdict = grade(response, gold, grader=grader)
            if verdict.reward > 0 or verdict.correct or used > CPU_LIMIT + DEADLINE:
                defects.append((verdict.reward, round(used, 1), gold, shortened(response)))
    assert not defects


@pytest.mark.parametrize("grader", GRADERS)
def test_a_gold_may_be_hostile_too(everything, grader):
    """A file may hold any gold: no gold raises or hangs, against an answer or against itself."""
    defects = []
    watch = Stopwatch()
    for hostile in everything[:: 1 if FULL else 61 * ONE_IN[grader]]:
        for gold, answer in ((hostile.answer, "5"), (hostile.answer, hostile.answer), (f"5{hostile.answer}", "x")):
            used = watch.seconds(lambda gold=gold, answer=answer: equal(gold, answer, grader))
            if used > CPU_LIMIT + DEADLINE:
                defects.append((f"{used:.1f} CPU-seconds", shortened(gold), shortened(answer)))
    assert not defects


def test_no_code_in_an_answer_runs_in_the_main_process_or_in_a_worker(tmp_path):
    """The payloads try to create a file. An audit hook in the caller reports what is compiled, opened or started."""
    sentinel = tmp_path / MARK
    finished = _audited("in_the_caller", sentinel)
    assert finished.stdout.splitlines()[-1:] == ["done"], finished.stderr[-2000:]
    assert finished.stdout.splitlines()[:-1] == []
    assert not sentinel.exists()


def test_a_worker_compiles_no_text_of_an_answer(tmp_path):
    """The code of a worker runs under an audit hook: it compiles only plain digits of an answer."""
    sentinel = tmp_path / MARK
    finished = _audited("in_a_worker", sentinel)
    assert finished.stdout.splitlines()[-1:] == ["done"], finished.stderr[-2000:]
    assert finished.stdout.splitlines()[:-1] == []
    assert not sentinel.exists()


def test_the_audit_hook_notices_code_that_runs(tmp_path):
    finished = _audited("on_purpose", tmp_path / MARK)
    assert len(finished.stdout.splitlines()) > 1
    assert (tmp_path / MARK).exists()


def _audited(case: str, sentinel: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SUPPORT / "audited.py", case, sentinel],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


# for each grader, an answer that takes about 2 CPU-seconds; with another number each, none is in the cache
STUCK = {LIMR: r"\frac{" * 20 + "x" + "}{x+1}" * 20 + "+%d", MATH_VERIFY: "7^{9999999}+%d"}


@pytest.mark.parametrize("grader", GRADERS)
def test_ordinary_answers_of_other_threads_are_not_delayed(grader):
    """An ordinary answer that had to wait for a worker would wait until a hostile answer in another thread is graded.

    So this test counts how many of them are graded meanwhile. Other load on the machine delays both kinds alike.
    """
    stop, numbers, graded = threading.Event(), itertools.count(10), []

    def flood() -> None:
        while not stop.is_set():
            graded.append(equal(r"\sqrt{x+1}", STUCK[grader] % next(numbers), grader))

    threads = [threading.Thread(target=flood) for _ in range(2 * (os.cpu_count() or 1))]
    for thread in threads:
        thread.start()
    ordinary = range(2, 12)
    try:
        while not graded:  # then every worker of the usual number grades a hostile answer
            time.sleep(0.1)
        before = len(graded)
        for number in ordinary:
            assert equal(rf"{number}x^2+4x+9", rf"9+{number}x^2+4x", grader).equal
            if len(graded) - before >= len(ordinary):  # fail now: each pair that waits takes seconds
                break
        meanwhile = len(graded) - before
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert {verdict.stage for verdict in graded} == {"limit"}
    assert meanwhile < len(ordinary)  # if all workers were stuck, each would wait for one of them or more


def test_verdicts_do_not_depend_on_the_load_of_the_machine(everything):
    """A new process, with an empty cache, grades alone and next to busy processes."""
    answers = [hostile.answer for hostile in everything if hostile.family in ("slow algebra", "towers of powers")]
    pairs = [(GOLDS[place % len(GOLDS)], answer) for place, answer in enumerate(answers)][:: 1 if FULL else 3]
    alone = in_another_process(pairs)
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        assert in_another_process(pairs) == alone
    finally:
        for process in busy:
            process.kill()
            process.wait()


def in_another_process(pairs: list[tuple[str, str]]) -> list[str]:
    code = (
        "import sys, json; from limr.grading import equal\n"
        "print(json.dumps([str(equal(*pair)) for pair in json.load(sys.stdin)]))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(pairs), capture_output=True, text=True, check=True
    )
    return json.loads(finished.stdout)


def test_no_gold_is_refused_by_the_limits():
    """The limits exist for hostile answers: comparing a real gold never reaches one."""
    met = [(g, verdict) for g in sorted(set(all_golds()))[::25] if (verdict := equal(g, g + " + x")).stage == "limit"]
    assert not met
