"""A bounded cache that computes each value once: threads that ask for the same key wait for one of them to compute it.

The samples of one prompt are graded together and often agree, so the same pair arrives from many threads at once.
"""

import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class SingleFlight(Generic[Key, Value]):
    """Keeps the ``size`` most recently used values. One thread computes a value while the others that need it wait.

    >>> cache = SingleFlight(size=2)
    >>> cache.get("seven", lambda: 7), cache.get("seven", lambda: 8)
    (7, 7)
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._reset()
        _caches.add(self)

    def get(self, key: Key, compute: Callable[[], Value]) -> Value:
        """The value of ``key``, computed by ``compute()`` if it is not in the cache.

        An exception of ``compute`` is raised in all threads that wait for this key, and is not cached.
        """
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            running = self._flights.get(key)
            if running is None:
                flight = self._flights[key] = Future()
        if running is not None:
            return running.result()
        return self._compute(key, compute, flight)

    def _compute(self, key: Key, compute: Callable[[], Value], flight: "Future[Value]") -> Value:
        try:
            value = compute()
        except BaseException as error:
            with self._lock:
                self._flights.pop(key, None)
            flight.set_exception(error)
            raise
        with self._lock:
            self._flights.pop(key, None)
            self._values[key] = value
            if len(self._values) > self.size:
                self._values.popitem(last=False)
        flight.set_result(value)
        return value

    def _reset(self) -> None:
        """Forget computations in progress: a forked process does not have the threads that compute them."""
        self._lock = threading.Lock()
        self._flights: dict[Key, Future[Value]] = {}


def _after_fork() -> None:
    for cache in _caches:
        cache._reset()


_caches: "weakref.WeakSet[SingleFlight]" = weakref.WeakSet()
os.register_at_fork(after_in_child=_after_fork)
