"""Processes of one launch, found by a mark in their environment and ended by their ids, whoever started them."""

import os
import signal
import time
from pathlib import Path

MARK = "LIMR_LAUNCH"
"""Environment variable that a launch gives to all of its processes, Ray's and vLLM's too."""

SECONDS_TO_END = 10.0


def marked(mark: str) -> list[int]:
    """Ids of the processes on this machine that carry ``mark``, but for this one and what has ended already."""
    wanted, found = f"{MARK}={mark}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:  # it has ended, or is another user's
            continue
    return [process for process in found if process != os.getpid()]


def end(mark: str) -> int:
    """End all processes that carry ``mark``, with SIGTERM and then with SIGKILL; how many there were."""
    number = len(marked(mark))
    for deadly in (signal.SIGTERM, signal.SIGKILL):
        for process in marked(mark):
            try:
                os.kill(process, deadly)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + SECONDS_TO_END
        while marked(mark) and time.monotonic() < deadline:
            time.sleep(0.2)
    return number
