"""Rollouts as they are written while OpenRLHF trains: append-only, by threads of many processes on many hosts.

A run that is stopped and resumed has several *attempts*, each with a folder of its own. Below it, every process
appends to files of its own, one a step (``step_000012/host-1234.jsonl``, and ``development/``), one line a rollout.
What is lost when a process is killed is the line that it was writing.
"""

import json
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limr.errors import LimrError

DEVELOPMENT = "development"


class Recorder:
    """Appends rollouts below ``folder``; one a process, for all of its threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._name = f"{socket.gethostname()}-{os.getpid()}.jsonl"
        self._parts: set[str] = set()  # whose folders are there
        self._lock = threading.Lock()

    def append(self, part: str, row: dict[str, Any]) -> None:
        """Write ``row`` to this process's file of ``part``: a step's name, or ``development``.

        Raises OSError when the disk is full: a run must not go on whose rollouts are lost.
        """
        line = json.dumps(row).encode("ascii") + b"\n"  # whatever halves of characters a model wrote are escaped
        path = self.folder / part / self._name
        with self._lock:
            if part not in self._parts:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._parts.add(part)
            with path.open("ab", buffering=0) as stream:  # opened each time: no state, and seen at once on other hosts
                if stream.write(line) != len(line):
                    raise OSError(f"{path}: the record was not written whole: is the disk full?")


@dataclass(frozen=True)
class Attempt:
    """One launch of a run: the step that it began at, and the folder of its records."""

    first_step: int
    folder: Path


@dataclass(frozen=True)
class Lines:
    """Records of one step or of the development set, and how many lines were cut short by a kill."""

    rows: list[dict[str, Any]]
    torn: int


def step_name(step: int) -> str:
    return f"step_{step:06d}"


def read(folder: Path) -> Lines:
    """All records in the files of ``folder``; an absent one holds none.

    Raises LimrError naming file and line for a record that is whole and not an object in JSON.
    """
    rows, torn = [], 0
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
            if not line:
                continue
            try:
                row = json.loads(line)
            except ValueError:
                torn += 1  # by a kill or a full disk; the count of each visit's samples tells whether it was needed
                continue
            if not isinstance(row, dict):
                raise LimrError(f"{path}: line {number}: found {type(row).__name__}, expected a record, {{...}}")
            rows.append(row)
    return Lines(rows, torn)


def trained_attempt(attempts: Sequence[Attempt], step: int) -> Attempt | None:
    """The attempt whose rollouts of ``step`` were trained on: the last one that began at it or before.

    A later attempt resumes from a checkpoint, that is from the weights that the rollouts before it led to; whatever
    the earlier one had generated beyond was thrown away with its weights.
    """
    return next((attempt for attempt in reversed(attempts) if attempt.first_step <= step), None)


def replayed_steps(attempts: Sequence[Attempt]) -> Iterator[tuple[Attempt, int]]:
    """Steps that an attempt recorded and a later one made again: (attempt, step)."""
    for attempt in attempts:
        for folder in sorted(attempt.folder.glob("step_*")):
            step = int(folder.name.removeprefix("step_"))
            if trained_attempt(attempts, step) is not attempt:
                yield attempt, step
