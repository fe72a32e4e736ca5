"""Answers computed once: a bounded cache in which threads that ask for the same key wait for one of them to compute.

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
    """Keeps the ``size`` values asked for last; each is computed by one thread while the others wait for it.

    >>> cache = SingleFlight(size=2)
    >>> cache.get("seven", lambda: 7), cache.get("seven", lambda: 8)
    (7, 7)
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._begin()
        _everyone.add(self)

    def get(self, key: Key, compute: Callable[[], Value]) -> Value:
        """The value of ``key``, from ``compute()`` where it is not known.

        An exception of ``compute`` reaches all who wait for this key, and is forgotten.
        """
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            flight = self._flights.get(key)
            if flight is None:
                mine = self._flights[key] = Future()
        if flight is not None:
            return flight.result()
        return self._compute(key, compute, mine)

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

    def _begin(self) -> None:
        """No flights: at first, and in a forked copy of the process, which does not have the threads that compute."""
        self._lock = threading.Lock()
        self._flights: dict[Key, Future[Value]] = {}


def _after_fork() -> None:
    for cache in _everyone:
        cache._begin()


_everyone: "weakref.WeakSet[SingleFlight]" = weakref.WeakSet()
os.register_at_fork(after_in_child=_after_fork)
