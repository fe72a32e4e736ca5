"""The processes outside the caller: a server imports sympy once, and workers that can be killed are forked from it.

There are three kinds of process:

- the *server* starts with a fresh interpreter. It imports and warms up the comparison, then forks a supervisor for
  every socket that it receives;
- a *supervisor* forks a worker and waits for it. When a limit or a crash has ended the worker, the supervisor sends the
  outcome in its place and forks the next one;
- a *worker* reads pairs from the socket and answers each with one byte, under limits of CPU time and of memory.

Nothing that could change a verdict is kept from one pair to the next. For each pair, sympy's cache is emptied and its
random numbers start again, because sympy uses them to guess whether an expression is zero. All processes end by
themselves when the caller is gone, however it ended: the kernel closes its end of the sockets.

The processes exist for safety, the server for speed: importing sympy once saves every worker the time.
tests/benchmarks/benchmark_grader.py measures the whole grader.
"""

import gc
import importlib
import os
import random
import resource
import signal
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import NoReturn

CPU_SECONDS = 2.0  # for one pair; CPU time of the worker, which is the same on a busy machine
WALL_SECONDS = 600  # for one pair that waits without using the CPU; no comparison is known to do so
MEMORY_BYTES = 2**30
PAIRS_PER_WORKER = 2000  # then a fresh worker takes over, in case a library leaks memory

_LENGTHS = struct.Struct("!II")
_ENCODING = ("utf-8", "surrogatepass")  # a model's output decoded byte by byte may hold lone surrogates
_NEXT_WORKER, _CALLER_GONE = 64, 65  # exit statuses of a worker: why it ended by itself
_WARM_UP = (  # parsers and sympy do part of their work on first use: these pairs do it once, before the first fork
    (r"\frac{\sqrt{3}}{2}+x", r"\sqrt{3}/2 + x"),
    (r"x^2+2x+1", "(x+1)^2"),
    (r"(1,\infty)", "x>1"),
    (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix}1\\3\end{pmatrix}"),
    (r"\left(3,\frac{\pi}{2}\right)", r"\{3, 2\pi\}"),
)


class Outcome(Enum):
    """How the comparison of one pair ended; the value is the byte that a worker sends."""

    EQUAL = b"="
    DIFFERENT = b"!"
    CPU_LIMIT = b"C"
    MEMORY_LIMIT = b"M"
    FAILED = b"F"  # it raised, or it crashed the process


def encode(gold: str, answer: str) -> bytes:
    """The message that asks a worker to compare a pair: two lengths in bytes, then any two texts."""
    texts = [text.encode(*_ENCODING) for text in (gold, answer)]
    return _LENGTHS.pack(*map(len, texts)) + b"".join(texts)


def serve(module: str) -> None:
    """Run the server: give each socket that comes through standard input to a supervisor, until the caller is gone.

    ``module`` has the function ``compare(gold, answer) -> bool``.
    """
    control = socket.socket(fileno=0)
    compare = importlib.import_module(module).compare
    for gold, answer in _WARM_UP:
        _compare(compare, gold, answer)
    gc.collect()
    gc.freeze()  # without it, the collector would write to every page that forks share, and so copy it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel removes supervisors that have ended
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        connection = socket.socket(fileno=descriptors[0])
        if os.fork() == 0:
            control.close()
            _supervise(connection, compare)
        connection.close()


def _supervise(connection: socket.socket, compare: Callable[[str, str], bool]) -> NoReturn:
    """Run one worker after the other, until the caller is gone or another process has killed a worker."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    while True:
        worker = os.fork()
        if worker == 0:
            _work(connection, compare)
        ended = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
        if ended in (-signal.SIGKILL, -signal.SIGTERM, _CALLER_GONE):
            os._exit(0)  # the pair is not the reason: the caller finds the connection closed and asks another worker
        if ended != _NEXT_WORKER:
            _reply(connection, Outcome.CPU_LIMIT if ended == -signal.SIGPROF else Outcome.FAILED)


def _work(connection: socket.socket, compare: Callable[[str, str], bool]) -> NoReturn:
    """Answer pairs until the caller is gone, a pair exceeds a limit, or it is time for a fresh worker."""
    _set_limits()
    for gold, answer in _requests(connection):
        signal.alarm(WALL_SECONDS)
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        outcome = _compare(compare, gold, answer)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        _reply(connection, outcome)
        if outcome not in (Outcome.EQUAL, Outcome.DIFFERENT):
            os._exit(_NEXT_WORKER)  # an abandoned comparison may have left the process in any state
    os._exit(_NEXT_WORKER)


def _reply(connection: socket.socket, outcome: Outcome) -> None:
    with suppress(BrokenPipeError):  # the caller is gone: the next read ends the worker
        connection.sendall(outcome.value)


def _requests(connection: socket.socket) -> Iterator[tuple[str, str]]:
    stream = connection.makefile("rb")
    for _ in range(PAIRS_PER_WORKER):
        header = stream.read(_LENGTHS.size)
        if len(header) < _LENGTHS.size:
            os._exit(_CALLER_GONE)
        texts = [stream.read(length) for length in _LENGTHS.unpack(header)]
        yield texts[0].decode(*_ENCODING), texts[1].decode(*_ENCODING)


def _compare(compare: Callable[[str, str], bool], gold: str, answer: str) -> Outcome:
    from sympy.core.cache import clear_cache
    from sympy.core.random import seed

    clear_cache()
    seed(0)
    random.seed(0)
    try:
        return Outcome.EQUAL if compare(gold, answer) else Outcome.DIFFERENT
    except MemoryError:
        return Outcome.MEMORY_LIMIT
    except BaseException:  # any exception of a library on hostile text means "not equal"
        return Outcome.FAILED


def _set_limits() -> None:
    """Let the signals of the limits kill this process, limit its memory, and discard what it prints."""
    for signal_of_limit in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(signal_of_limit, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for kind, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CORE, 0)):
        allowed = resource.getrlimit(kind)[1]
        most = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
        resource.setrlimit(kind, (most, most))
    with suppress(OSError):  # Linux: when the machine runs out of memory, kill the worker and not the training run
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
