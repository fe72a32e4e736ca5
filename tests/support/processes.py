"""What this process and all its descendants use, as the kernel counts it."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import psutil


def cpu_seconds() -> float:
    """CPU time of this process and its descendants, those included that have ended and been waited for."""
    total = 0.0
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


class Stopwatch:
    """CPU-seconds of one call after the other, never too few.

    What is done one after the other takes at least as long by the clock as it uses CPU time. So the clock, which costs
    nothing to read, tells enough of a short call; the kernel is asked about a long one, and twice a second at least.
    """

    SHORT = 0.5

    def __init__(self) -> None:
        self._asked()

    def _asked(self) -> None:
        self._cpu, self._clock = cpu_seconds(), time.monotonic()

    def seconds(self, call: Callable[[], object]) -> float:
        """The CPU-seconds of ``call``, or somewhat more."""
        start = time.monotonic()
        call()
        elapsed = time.monotonic() - start
        if time.monotonic() - self._clock < self.SHORT:
            return elapsed
        before = self._cpu
        self._asked()
        return min(elapsed, self._cpu - before)


class MemoryPeak:
    """The most resident memory seen in any one descendant, and how far this process grew, in bytes."""

    def __enter__(self) -> "MemoryPeak":
        self.descendants = 0
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
        me = psutil.Process()
        while not self._stop.is_set():
            self.growth = max(self.growth, me.memory_info().rss - self._before)
            for process in me.children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    self.descendants = max(self.descendants, process.memory_info().rss)
            time.sleep(0.02)
