"""A function over many arguments in processes of their own, results in order.

A decoder of JSON holds Python's global lock, so two cores need two processes. They are fresh interpreters that import
the readers and nothing else: the standard library's pools would import the caller's ``__main__``, which may be a
stage's script without a guard, or fork a process whose other threads hold locks.
"""

import gc
import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import cycle
from typing import Any, TypeVar

from limr.errors import LimrError

A = TypeVar("A")
R = TypeVar("R")

# an interrupt is the caller's, who ends these processes: while they import, too
_SERVE = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); from limr.logs.parallel import serve; serve()"
_PIPE_BYTES = 2**20  # an answer of usual size finds room, so that a process need not wait until it is read
_WAITING = 2  # arguments that a process has been sent and has not answered: it is not to wait for the next one


def run_in_order(function: Callable[[A], R], arguments: Sequence[A]) -> Iterator[R]:
    """``map(function, arguments)`` in as many processes as there are cores.

    Function, arguments and results are pickled. What ``function`` raises is raised here, in its turn; LimrError as it
    is. Raises LimrError naming the argument where a process was killed.
    """
    n_processes = min(len(os.sched_getaffinity(0)), len(arguments))
    processes = [_start(function) for _ in range(n_processes)]
    asked: deque[tuple[subprocess.Popen[bytes], A]] = deque()
    try:
        for process, argument in zip(cycle(processes), arguments, strict=False):
            if len(asked) == _WAITING * n_processes:
                yield _answer(*asked.popleft())
            _send(process, argument)
            asked.append((process, argument))
        while asked:
            yield _answer(*asked.popleft())
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def serve() -> None:
    """Be such a process: read a function, then arguments, from standard input until it ends; write the results."""
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no result
    gc.disable()  # rows make no cycles, and there are many of them to look through
    requests = sys.stdin.buffer
    function = pickle.load(requests)
    while True:
        try:
            argument = pickle.load(requests)
        except EOFError:
            return
        try:
            answer = (True, function(argument))
        except Exception as error:
            answer = (False, error)
        try:
            pickle.dump(answer, results, protocol=pickle.HIGHEST_PROTOCOL)
            results.flush()
        except BrokenPipeError:  # the caller was killed
            os._exit(1)


def _start(function: Callable[..., Any]) -> "subprocess.Popen[bytes]":
    start = partial(
        subprocess.Popen,
        [sys.executable, "-c", _SERVE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # of numpy's threads there is no use
    )
    try:
        process = start(pipesize=_PIPE_BYTES)
    except PermissionError:  # this user's pipes have as much memory already as they may
        process = start()
    _send(process, function)
    return process


def _send(process: "subprocess.Popen[bytes]", value: Any) -> None:
    try:
        pickle.dump(value, process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
        process.stdin.flush()
    except BrokenPipeError:  # it was killed, which reading its answer tells
        return


def _answer(process: "subprocess.Popen[bytes]", argument: Any) -> Any:
    try:
        done, value = pickle.load(process.stdout)
    except (EOFError, pickle.UnpicklingError) as error:
        raise LimrError(
            f"{argument}: the process that read it ended with status {process.wait()}: was it killed for its memory?"
        ) from error
    if done:
        return value
    raise value
