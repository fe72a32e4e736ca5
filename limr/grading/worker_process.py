"""What runs outside the caller: one process that imports sympy once, and forks workers that can be killed.

Three kinds of process, each doing one thing:

- the *server*, started with a fresh interpreter: imports and warms up the comparison, then forks a warden for every
  socket it is handed;
- a *warden*: forks its worker, waits for it, and says on its behalf what killed it; then forks the next one;
- a *worker*: reads pairs from the socket and answers each with one byte, under limits of CPU time and of memory.

Nothing is kept from one pair to the next that could change a verdict: sympy's cache is emptied and its random numbers,
with which it guesses whether an expression is zero, start anew for each pair. All end by themselves when the caller is
gone, however it went: the kernel closes its end of the sockets.
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

CPU_SECONDS = 2.0  # for one pair, of the worker's own time: the same on a busy machine
WALL_SECONDS = 600  # for one pair that waits without using the CPU, which no comparison is known to do
MEMORY_BYTES = 2**30
PAIRS_PER_WORKER = 2000  # then a fresh one takes over, whatever libraries may have hoarded

_LENGTHS = struct.Struct("!II")
_ENCODING = ("utf-8", "surrogatepass")  # a model's output decoded byte by byte may hold halves of characters
_NEXT, _LEAVE = 64, 65  # how a worker ends by itself: another is to take over, or the caller is gone
_WARM_UP = (  # what parsers and sympy put off until first use is done before the first fork, once for all workers
    (r"\frac{\sqrt{3}}{2}+x", r"\sqrt{3}/2 + x"),
    (r"x^2+2x+1", "(x+1)^2"),
    (r"(1,\infty)", "x>1"),
    (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix}1\\3\end{pmatrix}"),
    (r"\left(3,\frac{\pi}{2}\right)", r"\{3, 2\pi\}"),
)


class Outcome(Enum):
    """How the comparison of one pair ended; the value is the byte that tells it."""

    EQUAL = b"="
    DIFFERENT = b"!"
    CPU_LIMIT = b"C"
    MEMORY_LIMIT = b"M"
    FAILED = b"F"  # it raised, or it crashed the process


def encode(gold: str, answer: str) -> bytes:
    """The message that asks a worker to compare a pair: two lengths in bytes, then both texts; any str passes."""
    texts = [text.encode(*_ENCODING) for text in (gold, answer)]
    return _LENGTHS.pack(*map(len, texts)) + b"".join(texts)


def serve(module: str) -> None:
    """Be the server: hand sockets, which come through standard input, to wardens until the caller is gone.

    ``module`` has the function ``compare(gold, answer) -> bool``.
    """
    control = socket.socket(fileno=0)
    compare = importlib.import_module(module).compare
    for gold, answer in _WARM_UP:
        _compare(compare, gold, answer)
    gc.collect()
    gc.freeze()  # the collector would touch, and so copy, every page that a fork shares
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # wardens are not waited for
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        connection = socket.socket(fileno=descriptors[0])
        if os.fork() == 0:
            control.close()
            _guard(connection, compare)
        connection.close()


def _guard(connection: socket.socket, compare: Callable[[str, str], bool]) -> NoReturn:
    """Be a warden: one worker after the other, until the caller is gone or someone else killed the worker."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    while True:
        worker = os.fork()
        if worker == 0:
            _work(connection, compare)
        ended = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
        if ended in (-signal.SIGKILL, -signal.SIGTERM, _LEAVE):
            os._exit(0)  # not the pair's doing: the caller finds the connection closed and asks another
        if ended != _NEXT:
            _reply(connection, Outcome.CPU_LIMIT if ended == -signal.SIGPROF else Outcome.FAILED)


def _work(connection: socket.socket, compare: Callable[[str, str], bool]) -> NoReturn:
    """Be a worker: answer pairs until the caller is gone, one was too much, or it is time for a fresh one."""
    _limit()
    for gold, answer in _requests(connection):
        signal.alarm(WALL_SECONDS)
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        outcome = _compare(compare, gold, answer)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        _reply(connection, outcome)
        if outcome not in (Outcome.EQUAL, Outcome.DIFFERENT):
            os._exit(_NEXT)  # what was abandoned half way may have left anything behind
    os._exit(_NEXT)


def _reply(connection: socket.socket, outcome: Outcome) -> None:
    with suppress(BrokenPipeError):  # the caller is gone, which the next read finds out
        connection.sendall(outcome.value)


def _requests(connection: socket.socket) -> Iterator[tuple[str, str]]:
    stream = connection.makefile("rb")
    for _ in range(PAIRS_PER_WORKER):
        header = stream.read(_LENGTHS.size)
        if len(header) < _LENGTHS.size:
            os._exit(_LEAVE)
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
    except BaseException:  # whatever a library raises on hostile text, the verdict is the same: not equal
        return Outcome.FAILED


def _limit() -> None:
    """Signals that enforce limits do their default, which is to kill; memory has a bound; nothing is printed."""
    for deadly in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(deadly, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for kind, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CORE, 0)):
        allowed = resource.getrlimit(kind)[1]
        most = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
        resource.setrlimit(kind, (most, most))
    with suppress(OSError):  # Linux: where memory runs out altogether, the worker is to go and not the training run
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
