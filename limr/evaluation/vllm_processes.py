"""The processes of the vLLM engines: start them, collect their answers, and notice when one dies or hangs."""

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from limr.errors import LimrError
from limr.progress import ProgressLines

logger = logging.getLogger(__name__)

WORKER = "limr.evaluation.vllm_worker"
HEARTBEAT_TIMEOUT = 20 * 60.0  # seconds; loading and compiling send no heartbeat, and take minutes
SECONDS_BETWEEN_READS = 0.2
LOGGED_LINES, LONGEST_LINE = 25, 500  # of an engine's output when it fails; vLLM dumps its state on one line
SHOWN_LINES = 3  # in the error: the last error of the output, and what follows it

Request = tuple[list[int], dict[str, Any]]  # the tokens of a prompt, and the arguments of vLLM's SamplingParams
Answer = tuple[list[int], str]  # the tokens of a response, and why it ended


def answer_requests(
    requests: list[Request], engine: dict[str, Any], environments: Sequence[dict[str, str]], title: str
) -> list[Answer]:
    """The answers to ``requests``, in their order, from one engine per environment.

    Raises LimrError if a process ends before it has answered all its requests, or hangs. All processes have ended when
    this function returns or raises.
    """
    number = len(environments)
    with tempfile.TemporaryDirectory(prefix="limr-vllm-") as scratch, ExitStack() as stack:
        workers = []
        for rank, environment in enumerate(environments):
            worker = Worker(Path(scratch), rank, list(range(rank, len(requests), number)))
            worker.write({"engine": engine, "requests": [requests[index] for index in worker.indices]})
            stack.enter_context(worker.running(environment))
            workers.append(worker)
        answered = _collect(workers, ProgressLines(title, len(requests)))
    return [answered[index] for index in range(len(requests))]


class Worker:
    """The process of one engine: ``limr.evaluation.vllm_worker`` with its part of the requests."""

    def __init__(self, folder: Path, rank: int, indices: list[int]) -> None:
        self.rank, self.indices = rank, indices
        self.requests, self.answers = folder / f"{rank}.requests.json", folder / f"{rank}.answers.jsonl"
        self.output = folder / f"{rank}.output"
        self.answers.touch()
        self._bytes_read = 0

    def write(self, work: dict[str, Any]) -> None:
        """Write the file of requests that the process reads."""
        self.requests.write_text(json.dumps(work), encoding="utf-8")

    @contextmanager
    def running(self, environment: dict[str, str]) -> Iterator[None]:
        """Start the process; at the end of the block, kill it and all processes that it started."""
        # -P: Python files in the current folder (a random.py, say) are not imported instead of the real modules
        command = [sys.executable, "-P", "-m", WORKER, str(self.requests), str(self.answers)]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True
            )
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process.stdin.close()

    def read_new(self) -> list[tuple[int, Answer] | None]:
        """The lines written since the last call: (index of the request, answer), or None for a heartbeat."""
        with self.answers.open("rb") as stream:
            stream.seek(self._bytes_read)
            lines = stream.read()
        lines = lines[: lines.rfind(b"\n") + 1]  # the last line may be incomplete
        self._bytes_read += len(lines)
        rows = [json.loads(line) if line.strip() else None for line in lines.splitlines()]
        return [row and (self.indices[row[0]], (row[1], row[2])) for row in rows]

    def failure(self, problem: str) -> LimrError:
        """An error with ``problem`` and the last error of the process; more of its output goes to the log."""
        lines = [line.rstrip() for line in self.output.read_text("utf-8", "replace").splitlines() if line.strip()]
        for line in lines[-LOGGED_LINES:]:
            logger.error("vLLM engine %d: %s", self.rank, line[:LONGEST_LINE])
        errors = [number for number, line in enumerate(lines) if "Error" in line and not line.startswith(" ")]
        last = lines[errors[-1] :][:SHOWN_LINES] if errors else lines[-1:]
        text = " ".join(line.strip() for line in last)[:LONGEST_LINE] or "nothing"
        return LimrError(f"{problem}; the end of its output: {text}", where=f"vLLM engine {self.rank}")


def _collect(workers: list[Worker], lines: ProgressLines) -> dict[int, Answer]:
    """The answers of all workers by the index of the request. Raises LimrError if a process ends early or hangs."""
    answered: dict[int, Answer] = {}
    last_line = {worker.rank: time.monotonic() for worker in workers}
    while True:
        # checked before the answers are read: a process that has ended writes no further answers
        status = {worker.rank: worker.process.poll() for worker in workers}
        for worker in workers:
            for answer in worker.read_new():
                last_line[worker.rank] = time.monotonic()
                if answer is not None:
                    answered[answer[0]] = answer[1]
                    lines.update()
        unfinished = [worker for worker in workers if not answered.keys() >= set(worker.indices)]
        if not unfinished:
            return answered
        for worker in unfinished:
            if status[worker.rank] is not None:
                raise worker.failure(f"ended with status {status[worker.rank]} before it had answered all requests")
            if time.monotonic() - last_line[worker.rank] > HEARTBEAT_TIMEOUT:
                raise worker.failure(f"sent no heartbeat for {HEARTBEAT_TIMEOUT / 60:.0f} minutes and was killed")
        time.sleep(SECONDS_BETWEEN_READS)
