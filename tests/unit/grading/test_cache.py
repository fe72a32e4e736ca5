"""The cache computes each value once, for any number of threads, and keeps no more values than its size."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limr.grading.cache import SingleFlight


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(1, 6))
def test_values_are_right_and_only_the_most_recent_ones_are_kept(keys, size):
    cache, computed, recent = SingleFlight(size), [], []
    for key in keys:
        before = len(computed)
        assert cache.get(key, lambda key=key: computed.append(key) or key * key) == key * key
        assert (len(computed) == before) == (key in recent)
        recent = [*(other for other in recent if other != key), key][-size:]


def test_threads_that_ask_for_one_key_compute_it_once():
    cache, computed = SingleFlight(10), []

    def compute():
        computed.append(1)
        time.sleep(0.1)
        return "value"

    with ThreadPoolExecutor(8) as threads:
        values = list(threads.map(lambda _: cache.get("key", compute), range(8)))
    assert values == ["value"] * 8
    assert computed == [1]


def test_another_key_does_not_wait_for_a_slow_one():
    cache, release = SingleFlight(10), threading.Event()
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(cache.get, "slow", release.wait)
        assert cache.get("quick", lambda: 1) == 1
        assert not slow.done()
        release.set()


def test_an_exception_reaches_all_waiting_threads_and_is_not_cached():
    cache, asked = SingleFlight(10), threading.Barrier(4)

    def fail():
        time.sleep(0.1)
        raise ValueError("once")

    def ask(_):
        asked.wait()
        with pytest.raises(ValueError, match="once"):
            cache.get("key", fail)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(ask, range(4)))
    assert cache.get("key", lambda: "later") == "later"


def test_a_forked_process_keeps_the_values_and_does_not_wait_for_threads_of_its_parent():
    cache, release = SingleFlight(10), threading.Event()
    cache.get("known", lambda: 1)
    with ThreadPoolExecutor(1) as threads:
        threads.submit(cache.get, "key", release.wait)
        while not cache._flights:
            time.sleep(0.01)
        child = os.fork()
        if child == 0:
            values = cache.get("known", lambda: 2), cache.get("key", lambda: 3)
            os._exit(0 if values == (1, 3) else 1)
        release.set()
        assert os.waitpid(child, 0)[1] == 0
