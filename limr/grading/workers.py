"""Comparisons in processes that can be killed, shared by all threads of this process.

Pebble's process pool was measured first. Its limit is wall-clock time, so a verdict would depend on the machine's load;
its workers are as many as they are, so that two stuck pairs hold up all others for two seconds; it does not start from
a script read from standard input, because its workers import the caller's ``__main__``; and it unpickles what a worker
sends. So this is our own: ``worker_process`` is the other side.
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

PATIENCE = 0.05  # seconds: a worker that takes longer for its pair no longer counts as one of the usual number
ATTEMPTS = 3  # at one pair, where workers are killed from outside

_SERVER = "from limr.grading.worker_process import serve; serve({module!r})"


class Workers:
    """Compares pairs in worker processes with limits; safe to call from any number of threads.

    ``module`` names the module whose ``compare(gold, answer) -> bool`` the workers call. Nothing is started before the
    first pair. As many workers run as there are cores, not counting those stuck at a pair for longer than ``PATIENCE``,
    and at most ``most`` in all. Who asked first is served first. A forked copy of this process starts its own.
    """

    def __init__(self, module: str) -> None:
        self.module = module
        self.usual = _cores()
        self.most = 4 * self.usual + 12
        self._begin()
        _everyone.add(self)

    def compare(self, gold: str, answer: str) -> Outcome:
        """How the comparison of ``answer`` with ``gold`` ended; any two texts will do.

        Raises LimrError where no worker can be started at all, which tells nothing about the pair.
        """
        message = encode(gold, answer)
        for _ in range(ATTEMPTS):
            worker = self._take()
            try:
                reply = _ask(worker, message)
            except BaseException:  # an interrupted wait: what the worker says later would be taken for another pair's
                self._drop(worker)
                raise
            if reply:
                self._give(worker)
                return Outcome(reply)
            self._drop(worker)
        self._check_server()
        return Outcome.FAILED

    def close(self) -> None:
        """End the idle workers and the server, wait for it; a later call starts new ones."""
        with self._lock:
            for worker in self._idle:
                self._remove(worker)
            self._idle.clear()
            if self._server is not None:
                self._control.close()
                self._server.wait()
                self._server = None

    def _take(self) -> socket.socket:
        """A worker for this thread alone: an idle one, a new one, or the next that another thread gives back."""
        ticket: SimpleQueue[socket.socket] = SimpleQueue()
        try:
            with self._lock:
                self._waiting.append(ticket)
                if self._idle:  # then nobody else waits
                    self._hand_out(self._idle.pop())
            while True:
                with self._lock:
                    while self._waiting and self._has_room():
                        self._hand_out(self._start())
                with suppress(Empty):
                    return ticket.get(timeout=PATIENCE)
        except BaseException:
            self._give_up(ticket)
            raise

    def _hand_out(self, worker: socket.socket) -> None:
        """To the thread that has waited longest."""
        self._busy_since[worker] = time.monotonic()
        self._waiting.popleft().put(worker)

    def _give(self, worker: socket.socket) -> None:
        with self._lock:
            if self._waiting:
                self._hand_out(worker)
                return
            self._busy_since[worker] = None
            if self._has_room(beside=1):
                self._idle.append(worker)
            else:
                self._remove(worker)

    def _drop(self, worker: socket.socket) -> None:
        """Let go a worker that was killed, and the idle ones, which may have been killed with it."""
        with self._lock:
            for each in (worker, *self._idle):
                self._remove(each)
            self._idle.clear()

    def _give_up(self, ticket: "SimpleQueue[socket.socket]") -> None:
        """Wait no longer: leave the queue, and pass on what may have been handed out meanwhile."""
        with self._lock:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
        if not ticket.empty():
            self._give(ticket.get())

    def _has_room(self, beside: int = 0) -> bool:
        """Whether one more worker may run, ``beside`` of the present ones not counted."""
        patience_ends = time.monotonic() - PATIENCE
        stuck = sum(since is not None and since < patience_ends for since in self._busy_since.values())
        return len(self._busy_since) - beside < min(self.usual + stuck, self.most)

    def _remove(self, worker: socket.socket) -> None:
        del self._busy_since[worker]
        worker.close()

    def _start(self) -> socket.socket:
        """A new worker, from a new server where there is none or it has died."""
        try:
            ours, theirs = socket.socketpair()
            with theirs:
                if self._server is None or self._server.poll() is not None:
                    self._start_server()
                try:
                    socket.send_fds(self._control, [b"+"], [theirs.fileno()])
                except BrokenPipeError:  # it is just ending
                    self._server.wait()
                    self._start_server()
                    socket.send_fds(self._control, [b"+"], [theirs.fileno()])
        except OSError as error:
            raise LimrError(f"no grading worker can be started: {error}") from error
        self._busy_since[ours] = None
        return ours

    def _start_server(self) -> None:
        """A fresh interpreter that finds modules where this one does, and hashes alike in every run."""
        path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)  # noqa: PTH100 (no entry is resolved)
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0"}
        command = [sys.executable, "-P", "-c", _SERVER.format(module=self.module)]
        self._control, theirs = socket.socketpair()
        with theirs:
            # a session of its own: an interrupt at the terminal is for the caller to answer
            self._server = subprocess.Popen(command, stdin=theirs, env=environment, start_new_session=True)

    def _check_server(self) -> None:
        """Raise LimrError where the server has ended: workers were not killed, there never were any."""
        server = self._server
        try:
            if server is not None:
                server.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return
        raise LimrError(
            f"no grading worker can be started ({ATTEMPTS} attempts with {sys.executable}): "
            "standard error has what Python said about it"
        )

    def _begin(self) -> None:
        """Have no workers yet."""
        self._lock = threading.Lock()
        self._busy_since: dict[socket.socket, float | None] = {}  # every worker; None while it is idle
        self._idle: list[socket.socket] = []
        self._waiting: deque[SimpleQueue[socket.socket]] = deque()
        self._server: subprocess.Popen | None = None
        self._control: socket.socket | None = None

    def _begin_as_fork(self) -> None:
        """In a forked copy of the process workers, server and whoever holds the lock are not ours: leave them be."""
        for connection in filter(None, (*self._busy_since, self._control)):
            connection.close()
        if self._server is not None:
            self._server.returncode = 0  # not a child of this process, so nothing to wait for
        self._begin()


def _ask(worker: socket.socket, message: bytes) -> bytes:
    """The worker's reply to ``message``; empty when it is gone, which only what kills from outside can do."""
    try:
        worker.sendall(message)
        return worker.recv(1)
    except (BrokenPipeError, ConnectionResetError):
        return b""


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _after_fork() -> None:
    for workers in _everyone:
        workers._begin_as_fork()


_everyone: "weakref.WeakSet[Workers]" = weakref.WeakSet()
os.register_at_fork(after_in_child=_after_fork)
