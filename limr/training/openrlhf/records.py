"""Records of rollouts, which many threads, processes and hosts append to while OpenRLHF trains.

A run that was stopped and resumed has several *attempts*, each with a separate folder. In this folder, each process
appends to separate files, one line for each rollout: ``step_000012/host-1234.jsonl`` for a training step, and
``development/host-1234.jsonl`` for the development set. A kill loses only the line that a process is writing.

This module does not import Polars, because ``executor`` loads it in every vLLM actor.
"""

import json
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limr.errors import LimrError, shown

DEVELOPMENT = "development"
"""The name of the development set, as a split in labels and as a part of the records."""

FOLDER_VARIABLE, RULE_VARIABLE, GRADER_VARIABLE = "LIMR_RECORDS", "LIMR_REWARD_RULE", "LIMR_GRADER"
"""Environment variables that ``executor`` reads: the folder of the attempt's records, the reward's rule and grader."""


class Recorder:
    """Appends rollouts to files in ``folder``. All threads of a process share one recorder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._name = f"{socket.gethostname()}-{os.getpid()}.jsonl"
        self._parts: set[str] = set()  # the parts that have a folder already
        self._lock = threading.Lock()

    def append(self, part: str, row: dict[str, Any]) -> None:
        """Write ``row`` to this process's file of ``part``: a step's name, or ``development``.

        Raises OSError when the disk is full: a run must not lose rollouts and continue.
        """
        line = json.dumps(row).encode("ascii") + b"\n"  # escapes the lone surrogates that a model may write
        path = self.folder / part / self._name
        with self._lock:
            if part not in self._parts:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._parts.add(part)
            with path.open("ab", buffering=0) as stream:  # opened each time: other hosts see the line at once
                if stream.write(line) != len(line):
                    raise OSError(f"{path}: the record was not written completely: is the disk full?")


@dataclass(frozen=True)
class Attempt:
    """One launch of a run: the step that it began at, and the folder of its records."""

    first_step: int
    folder: Path


@dataclass(frozen=True)
class Records:
    """The records of one step or of the development set, and the number of lines that a kill cut short."""

    rows: list[dict[str, Any]]
    cut_short: int


def step_name(step: int) -> str:
    """The name of the part that holds the records of ``step``."""
    return f"step_{step:06d}"


def read(folder: Path) -> Records:
    """All records in the files of ``folder``, which may be missing.

    Raises LimrError naming file and line if a line is JSON, but not an object.
    """
    rows, cut_short = [], 0
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
            if not line:
                continue
            try:
                row = json.loads(line)
            except ValueError:  # cut short by a kill or a full disk: the audit counts the samples of each visit
                cut_short += 1
                continue
            if not isinstance(row, dict):
                raise LimrError(where=(path, f"line {number}"), found=shown(row), expected="a record, {...}")
            rows.append(row)
    return Records(rows, cut_short)


def trained_attempt(attempts: Sequence[Attempt], step: int) -> Attempt | None:
    """The attempt that trained on its rollouts of ``step``: the last one that began at or before ``step``.

    A later attempt resumes from a checkpoint, so its weights come from the rollouts before this checkpoint. The earlier
    attempt's rollouts after the checkpoint do not count, because the weights trained on them are lost.
    """
    return next((attempt for attempt in reversed(attempts) if attempt.first_step <= step), None)


def replayed_steps(attempts: Sequence[Attempt]) -> Iterator[tuple[Attempt, int]]:
    """(attempt, step) for each step that an attempt recorded and a later one replayed."""
    for attempt in attempts:
        for folder in sorted(attempt.folder.glob("step_*")):
            step = int(folder.name.removeprefix("step_"))
            if trained_attempt(attempts, step) is not attempt:
                yield attempt, step
