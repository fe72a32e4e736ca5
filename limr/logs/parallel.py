"""Runs a function over many arguments in several processes, and yields the results in order.

Why it exists: a JSON decoder holds Python's global lock, so two cores need two processes. The processes are fresh
interpreters that import the readers and nothing else. The standard library's pools would import the caller's
``__main__``, which may be a stage's script without a guard. Or they would fork while other threads hold locks.
``tests/benchmarks/benchmark_readers.py`` measures the reader of JSON that runs on it.
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
from pathlib import Path
from typing import Any, TypeVar

from limr.errors import LimrError

A = TypeVar("A")
R = TypeVar("R")

# -P keeps the current folder out of the import path: a user's file such as signal.py must not be executed.
# This package may be importable from that folder only, so the package's own folder is added after all others.
# On an interrupt (Ctrl-C) the caller ends these processes; they ignore it themselves, also during the imports.
_PACKAGE_FOLDER = str(Path(__file__).resolve().parents[2])
_SERVE = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); sys.path.append(sys.argv[1]);"
    " from limr.logs.parallel import serve; serve()"
)
_COMMAND = (sys.executable, "-P", "-c", _SERVE, _PACKAGE_FOLDER)

_PIPE_BYTES = 2**20  # holds a result of usual size, so that a process need not wait for its reader
_WAITING = 2  # arguments that a process has at a time, so that it need not wait for the next one


def run_in_order(function: Callable[[A], R], arguments: Sequence[A]) -> Iterator[R]:
    """``map(function, arguments)`` in as many processes as there are cores.

    Function, arguments and results are pickled. An exception of ``function`` is raised in place of its result. Raises
    LimrError with the argument where a process was killed.
    """
    n_processes = min(len(os.sched_getaffinity(0)), len(arguments))
    processes = [_start(function) for _ in range(n_processes)]
    pending: deque[tuple[subprocess.Popen[bytes], A]] = deque()
    try:
        for process, argument in zip(cycle(processes), arguments, strict=False):
            if len(pending) == _WAITING * n_processes:
                yield _answer(*pending.popleft())
            _send(process, argument)
            pending.append((process, argument))
        while pending:
            yield _answer(*pending.popleft())
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def serve() -> None:
    """Run a worker process: read a function and then arguments from standard input, and write the results."""
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # text that a library prints must not mix with the results
    gc.disable()  # rows make no cycles, and searching millions of them for cycles takes time
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
        _COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # NumPy's own threads would only compete with the processes
    )
    try:
        process = start(pipesize=_PIPE_BYTES)
    except PermissionError:  # the user's pipes already take as much memory as the system allows
        process = start()
    _send(process, function)
    return process


def _send(process: "subprocess.Popen[bytes]", value: Any) -> None:
    try:
        pickle.dump(value, process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
        process.stdin.flush()
    except BrokenPipeError:  # the process was killed; reading its answer raises the error
        return


def _answer(process: "subprocess.Popen[bytes]", argument: Any) -> Any:
    try:
        done, value = pickle.load(process.stdout)
    except (EOFError, pickle.UnpicklingError) as error:
        raise LimrError(
            f"the process that read it ended with status {process.wait()}",
            where=str(argument),
            advice="It may have been killed because memory ran out. Free some memory and try again.",
        ) from error
    if done:
        return value
    raise value
