"""The worker processes: every pair gets its outcome, even a pair that breaks its worker."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import SUPPORT
from refusals import refused

from limr.grading.worker_process import CPU_SECONDS, Outcome
from limr.grading.workers import Workers

ANY_TEXT = st.text(st.characters(), max_size=30)  # lone surrogates and NUL too


@pytest.fixture(scope="module")
def workers():
    workers = Workers("comparisons")
    yield workers
    workers.close()


def processes(workers):
    """The server, its supervisors and its workers: all processes of the server's session."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == workers._server.pid and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return found


def wait_until(condition, seconds=10):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "the condition did not become true in time"
        time.sleep(0.02)


@given(ANY_TEXT, ANY_TEXT)
def test_any_text_reaches_the_comparison_unchanged(workers, gold, answer):
    expected = Outcome.EQUAL if gold == answer else Outcome.DIFFERENT
    assert workers.compare(f"{gold}|", f"{answer}|") is expected
    assert workers.compare(f"{gold}|", f"{gold}|") is Outcome.EQUAL


@pytest.mark.parametrize(
    ("gold", "answer", "outcome"),
    [
        ("", "raise", Outcome.FAILED),
        ("", "recursion", Outcome.FAILED),
        ("", "crash", Outcome.FAILED),
        ("0", "exit", Outcome.FAILED),
        ("1", "exit", Outcome.FAILED),
        ("", "memory", Outcome.MEMORY_LIMIT),
    ],
)
def test_a_pair_that_breaks_its_worker_is_reported_and_the_next_pair_is_compared(workers, gold, answer, outcome):
    assert workers.compare(gold, answer) is outcome
    assert workers.compare("a", "a") is Outcome.EQUAL


def test_a_pair_stuck_in_one_long_call_is_killed_after_its_cpu_seconds(workers):
    started = time.monotonic()
    assert workers.compare("", "stuck") is Outcome.CPU_LIMIT
    assert time.monotonic() - started > CPU_SECONDS * 0.9
    assert workers.compare("a", "a") is Outcome.EQUAL


def test_waiting_does_not_count_against_the_cpu_seconds(workers):
    assert workers.compare(str(CPU_SECONDS + 0.5), "sleep") is Outcome.DIFFERENT


def test_every_pair_starts_with_the_same_random_numbers(workers):
    assert len({workers.compare("1", "random") for _ in range(20)}) == 1
    assert len({workers.compare(str(bound / 10), "random") for bound in range(21)}) == 2


def test_stuck_pairs_do_not_delay_those_of_other_threads(workers):
    stuck = [threading.Thread(target=workers.compare, args=("", "stuck")) for _ in range(workers.usual + 1)]
    for thread in stuck:
        thread.start()
    waits = []
    while any(thread.is_alive() for thread in stuck):
        started = time.monotonic()
        assert workers.compare("a", "a") is Outcome.EQUAL
        waits.append(time.monotonic() - started)
    assert max(waits) < CPU_SECONDS / 2
    assert len(waits) > 100


def test_workers_beyond_the_usual_number_end_when_they_are_idle(workers):
    with ThreadPoolExecutor(workers.usual + 3) as threads:
        list(threads.map(lambda _: workers.compare("0.5", "sleep"), range(workers.usual + 3)))
    assert len(workers._busy_since) <= workers.usual
    wait_until(lambda: len(processes(workers)) <= 1 + 2 * workers.usual)


def test_there_are_never_more_workers_than_the_upper_limit():
    limited = Workers("comparisons")
    limited.usual, limited.most = 1, 2
    most = []
    with ThreadPoolExecutor(6) as threads:
        outcomes = [threads.submit(limited.compare, "0.2", "sleep") for _ in range(6)]
        while not all(outcome.done() for outcome in outcomes):
            most.append(len(limited._busy_since))
            time.sleep(0.01)
    limited.close()
    assert max(most) == 2


def test_eight_threads_get_the_outcomes_of_their_own_pairs(workers):
    draws = random.Random(0)
    pairs = [(str(draws.randrange(4)), str(draws.randrange(4))) for _ in range(2000)]
    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(lambda pair: workers.compare(*pair), pairs))
    assert outcomes == [Outcome.EQUAL if gold == answer else Outcome.DIFFERENT for gold, answer in pairs]


def test_threads_are_served_in_the_order_of_their_requests():
    one = Workers("comparisons")
    one.usual = one.most = 1
    one.compare("a", "a")
    order, threads = [], []

    def ask(number):
        one.compare("0.1", "sleep")
        order.append(number)

    for number in range(6):
        threads.append(threading.Thread(target=ask, args=(number,)))
        threads[-1].start()
        time.sleep(0.02)
    for thread in threads:
        thread.join()
    one.close()
    assert order == list(range(6))


@pytest.mark.parametrize("victims", ["workers", "server", "all"])
def test_processes_killed_from_outside_are_replaced(workers, victims):
    assert workers.compare("a", "a") is Outcome.EQUAL
    server = workers._server.pid
    for process in processes(workers):
        if victims == "all" or (process.pid == server) == (victims == "server"):
            process.send_signal(signal.SIGKILL)
    assert workers.compare("a", "a") is Outcome.EQUAL
    assert workers.compare("a", "b") is Outcome.DIFFERENT


def test_a_pair_is_compared_again_if_its_worker_is_killed_from_outside(workers):
    with ThreadPoolExecutor(1) as threads:
        assert workers.compare("a", "a") is Outcome.EQUAL
        outcome = threads.submit(workers.compare, "1", "sleep")
        time.sleep(0.3)
        server = workers._server.pid
        for process in processes(workers):
            if process.pid != server:
                process.send_signal(signal.SIGKILL)
        assert outcome.result() is Outcome.DIFFERENT


def test_a_server_killed_before_it_could_start_a_worker_is_replaced():
    workers = Workers("comparisons")
    workers.usual = 2
    assert workers.compare("a", "a") is Outcome.EQUAL
    os.kill(workers._server.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(2) as threads:
        outcomes = [threads.submit(workers.compare, "0.5", "sleep") for _ in range(2)]
        time.sleep(0.2)
        os.kill(workers._server.pid, signal.SIGKILL)
        assert [outcome.result(timeout=10) for outcome in outcomes] == [Outcome.DIFFERENT] * 2
    workers.close()


def test_a_forked_process_has_separate_workers_while_threads_use_those_of_its_parent(workers):
    stop = threading.Event()
    wrong = []

    def use():
        while not stop.is_set():
            if workers.compare("a", "a") is not Outcome.EQUAL:
                wrong.append(1)

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        time.sleep(0.05)
        child = os.fork()
        if child == 0:
            same = workers.compare("a", "a") is Outcome.EQUAL and workers.compare("a", "b") is Outcome.DIFFERENT
            os._exit(0 if same else 1)
        assert os.waitpid(child, 0)[1] == 0
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong


SCRIPT = """
import sys, threading, time
sys.path.insert(0, {tests!r})
from limr.grading.workers import Workers
workers = Workers("comparisons")
assert workers.compare("a", "a").name == "EQUAL"
threading.Thread(target=workers.compare, args=("", "stuck"), daemon=True).start()
time.sleep(0.3)
print(workers._server.pid, flush=True)
{then}
"""


def session_is_empty(leader):
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("then", ["time.sleep(60)", ""])
def test_no_process_outlives_a_caller_that_is_killed_or_ends(then):
    script = SCRIPT.format(tests=str(SUPPORT), then=then)
    caller = subprocess.Popen([sys.executable, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with caller:
        caller.stdin.write(script)
        caller.stdin.close()
        server = int(caller.stdout.readline())
        assert not session_is_empty(server)
        if then:
            caller.kill()
    wait_until(lambda: session_is_empty(server), seconds=60)  # the stuck worker uses up its CPU seconds first


def test_nothing_that_a_comparison_prints_reaches_the_terminal(capfd):
    fresh = Workers("comparisons")  # its server inherits the streams of this test
    fresh.compare("a", "print")
    fresh.close()
    assert capfd.readouterr() == ("", "")


def test_importing_starts_no_process_and_imports_no_sympy():
    code = "import sys, limr.grading.workers as w; assert 'sympy' not in sys.modules; w.Workers('none')"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_workers_that_cannot_start_are_an_error_and_not_a_verdict(capfd):
    with refused(what="no grading worker can be started", advice="standard error"):
        Workers("no_such_module").compare("a", "a")
    assert "No module named 'no_such_module'" in capfd.readouterr().err


def test_closed_workers_start_again(workers):
    workers.close()
    assert workers.compare("a", "a") is Outcome.EQUAL
