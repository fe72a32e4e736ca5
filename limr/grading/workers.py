"""Comparisons in processes that can be killed, shared by all threads of this process.

We measured Pebble's process pool first, and did not use it for four reasons. Its limit is wall-clock time, so a verdict
would depend on the machine's load. The number of its workers is fixed, so two stuck pairs delay all others for two
seconds. It does not start from a script read from standard input, because its workers import the caller's ``__main__``.
And it unpickles what a worker sends. This module runs in the caller, ``worker_process`` in the other processes.
"""

import os
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue

from limr.errors import LimrError
from limr.grading.worker_process import Outcome, encode

STUCK_SECONDS = 0.05  # a worker that takes longer for its pair is stuck: it no longer counts towards the usual number
ATTEMPTS = 3  # to compare one pair, when workers are killed from outside

_SERVER = "from limr.grading.worker_process import serve; serve({module!r})"


class Workers:
    """Compares pairs in worker processes with limits; safe to call from any number of threads.

    The workers call the function ``compare(gold, answer) -> bool`` of ``module``. Nothing starts before the first
    pair. As many workers run as there are cores; workers that are stuck do not count, but there are never more
    than ``most``. Threads are served in the order in which they asked. A forked process starts new workers.
    """

    def __init__(self, module: str) -> None:
        self.module = module
        self.usual = _cores()
        self.most = 4 * self.usual + 12
        self._reset()
        _pools.add(self)

    def compare(self, gold: str, answer: str) -> Outcome:
        """Compare any two texts, ``answer`` with ``gold``, and return how the comparison ended.

        Raises LimrError if no worker can be started at all; this does not depend on the pair.
        """
        message = encode(gold, answer)
        for _ in range(ATTEMPTS):
            worker = self._acquire()
            try:
                reply = _ask(worker, message)
            except BaseException:  # after an interrupted wait, the late reply must not be read for another pair
                self._discard(worker)
                raise
            if reply:
                self._release(worker)
                return Outcome(reply)
            self._discard(worker)
        self._check_server()
        return Outcome.FAILED

    def close(self) -> None:
        """End the idle workers and the server, and wait for the server; a later call starts new ones."""
        with self._lock:
            for worker in self._idle:
                self._remove(worker)
            self._idle.clear()
            if self._server is not None:
                self._control.close()
                self._server.wait()
                self._server = None

    def _acquire(self) -> socket.socket:
        """A worker for this thread alone: an idle one, a new one, or the next that another thread releases."""
        ticket: SimpleQueue[socket.socket] = SimpleQueue()
        try:
            with self._lock:
                self._waiting.append(ticket)
                if self._idle:  # then no other thread waits
                    self._hand_out(self._idle.pop())
            while True:
                with self._lock:
                    while self._waiting and self._has_room():
                        self._hand_out(self._start())
                with suppress(Empty):
                    return ticket.get(timeout=STUCK_SECONDS)
        except BaseException:
            self._stop_waiting(ticket)
            raise

    def _hand_out(self, worker: socket.socket) -> None:
        """Give ``worker`` to the thread that has waited longest."""
        self._busy_since[worker] = time.monotonic()
        self._waiting.popleft().put(worker)

    def _release(self, worker: socket.socket) -> None:
        """Give a worker that has answered to a waiting thread, keep it idle if there is room, or else end it."""
        with self._lock:
            if self._waiting:
                self._hand_out(worker)
                return
            self._busy_since[worker] = None
            if self._has_room(not_counting=1):
                self._idle.append(worker)
            else:
                self._remove(worker)

    def _discard(self, worker: socket.socket) -> None:
        """Remove a worker that was killed, and the idle ones, which may have been killed with it."""
        with self._lock:
            for each in (worker, *self._idle):
                self._remove(each)
            self._idle.clear()

    def _stop_waiting(self, ticket: "SimpleQueue[socket.socket]") -> None:
        """Leave the queue, and release a worker that this thread may have been given meanwhile."""
        with self._lock:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
        if not ticket.empty():
            self._release(ticket.get())

    def _has_room(self, not_counting: int = 0) -> bool:
        """Whether one more worker may run; ``not_counting`` of the present ones are ignored."""
        stuck_since = time.monotonic() - STUCK_SECONDS
        stuck = sum(since is not None and since < stuck_since for since in self._busy_since.values())
        return len(self._busy_since) - not_counting < min(self.usual + stuck, self.most)

    def _remove(self, worker: socket.socket) -> None:
        del self._busy_since[worker]
        worker.close()

    def _start(self) -> socket.socket:
        """A new worker; starts a new server if none runs."""
        try:
            ours, theirs = socket.socketpair()
            with theirs:
                if self._server is None or self._server.poll() is not None:
                    self._start_server()
                try:
                    socket.send_fds(self._control, [b"+"], [theirs.fileno()])
                except BrokenPipeError:  # the server is just ending
                    self._server.wait()
                    self._start_server()
                    socket.send_fds(self._control, [b"+"], [theirs.fileno()])
        except OSError as error:
            raise LimrError(f"no grading worker can be started ({error})") from error
        self._busy_since[ours] = None
        return ours

    def _start_server(self) -> None:
        """Start a fresh interpreter that finds the same modules as this one, with the same hashes in every run."""
        path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)  # noqa: PTH100 (no entry is resolved)
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0"}
        command = [sys.executable, "-P", "-c", _SERVER.format(module=self.module)]
        self._control, theirs = socket.socketpair()
        with theirs:
            # a new session, so that an interrupt at the terminal reaches only the caller
            self._server = subprocess.Popen(command, stdin=theirs, env=environment, start_new_session=True)

    def _check_server(self) -> None:
        """Raise LimrError if the server has ended: then no worker was killed, because none ever started."""
        server = self._server
        try:
            if server is not None:
                server.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return
        raise LimrError(
            f"no grading worker can be started ({ATTEMPTS} attempts with {sys.executable})",
            advice="Python wrote the reason to standard error.",
        )

    def _reset(self) -> None:
        """Start with no workers and no server."""
        self._lock = threading.Lock()
        self._busy_since: dict[socket.socket, float | None] = {}  # all workers; None for an idle one
        self._idle: list[socket.socket] = []
        self._waiting: deque[SimpleQueue[socket.socket]] = deque()
        self._server: subprocess.Popen | None = None
        self._control: socket.socket | None = None

    def _reset_after_fork(self) -> None:
        """In a forked process, forget the workers, the server and the lock: they belong to the parent."""
        for connection in filter(None, (*self._busy_since, self._control)):
            connection.close()
        if self._server is not None:
            self._server.returncode = 0  # it is not a child of this process, so Popen must not wait for it
        self._reset()


def _ask(worker: socket.socket, message: bytes) -> bytes:
    """The worker's reply to ``message``; empty if another process has killed the worker."""
    try:
        worker.sendall(message)
        return worker.recv(1)
    except (BrokenPipeError, ConnectionResetError):
        return b""


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _after_fork() -> None:
    for workers in _pools:
        workers._reset_after_fork()


_pools: "weakref.WeakSet[Workers]" = weakref.WeakSet()
os.register_at_fork(after_in_child=_after_fork)
