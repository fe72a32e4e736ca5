"""CPU time and memory of this process and all its descendants, as the kernel counts them."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import psutil


def cpu_seconds() -> float:
    """CPU time of this process and its descendants, including those that have ended and were waited for."""
    total = 0.0
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


class Stopwatch:
    """Measures the CPU-seconds of calls, one after the other; never reports too few.

    Calls in sequence use at most as much CPU time as wall-clock time. For a short call the clock is therefore enough,
    and it costs nothing to read. The CPU time is read from the kernel after long calls, and at least twice a second.
    """

    SHORT = 0.5

    def __init__(self) -> None:
        self._ask_kernel()

    def _ask_kernel(self) -> None:
        self._cpu, self._clock = cpu_seconds(), time.monotonic()

    def seconds(self, call: Callable[[], object]) -> float:
        """The CPU-seconds of ``call``, or somewhat more."""
        start = time.monotonic()
        call()
        elapsed = time.monotonic() - start
        if time.monotonic() - self._clock < self.SHORT:
            return elapsed
        before = self._cpu
        self._ask_kernel()
        return min(elapsed, self._cpu - before)


class MemoryPeak:
    """The largest resident memory seen in any one descendant, and the growth of this process, in bytes."""

    def __enter__(self) -> "MemoryPeak":
        self.largest_descendant = 0
        self._before = psutil.Process().memory_info().rss
        self.growth = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        this = psutil.Process()
        while not self._stop.is_set():
            self.growth = max(self.growth, this.memory_info().rss - self._before)
            for process in this.children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    self.largest_descendant = max(self.largest_descendant, process.memory_info().rss)
            time.sleep(0.02)
