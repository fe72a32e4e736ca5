"""GPUs of one machine, shared out among the stages that run on it at once: none is used by two of them.

Snakemake starts as many stages as there are GPUs for (resource ``gpu_slot``, whose number profiles/default asks for
here), but says to none of them which are its own. So each stage claims as many as it needs.
"""

import contextlib
import fcntl
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from limr.errors import LimrError
from limr.jobs.gpus import visible_gpus

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_LOOKS = 2.0


def number_of_slots() -> int:
    """GPUs that stages may use on this machine; one where there is none, or they cannot be listed.

    A stage that needs more takes all there are, and says itself what is missing.
    """
    try:
        return max(1, len(visible_gpus()))
    except LimrError:
        return 1


def gpus_asked(gres: str | None) -> int:
    """GPUs of a node in SLURM's notation.

    >>> gpus_asked("gpu:8"), gpus_asked("gpu:a100:4"), gpus_asked("gpu"), gpus_asked(None)
    (8, 4, 1, 0)
    """
    kind, *rest = (gres or "").split(":")
    if kind != "gpu":
        return 0
    return int(rest[-1]) if rest and rest[-1].isdigit() else 1


@contextlib.contextmanager
def claimed(number: int) -> Iterator[None]:
    """Have this process and those that it starts see ``number`` GPUs that no other stage on this machine uses.

    Waits until so many are free. Where there are fewer, and in a Ray cluster that runs already, nothing is claimed.
    """
    if not number or "RAY_ADDRESS" in os.environ or len(visible_gpus()) < number:
        yield
        return
    before = os.environ.get("CUDA_VISIBLE_DEVICES")
    with contextlib.ExitStack() as claims:
        told = False
        while (mine := _claim(number, claims)) is None:
            if not told:
                logger.info("waiting for %d GPUs that no other stage uses", number)
            told = True
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(mine)
        logger.info("uses GPUs %s", ", ".join(mine))
        try:
            yield
        finally:
            if before is None:
                os.environ.pop("CUDA_VISIBLE_DEVICES", None)
            else:
                os.environ["CUDA_VISIBLE_DEVICES"] = before


def _claim(number: int, claims: contextlib.ExitStack) -> list[str] | None:
    """Indices of ``number`` GPUs that ``claims`` holds from now on, those that are used least first; None: too few."""
    folder = Path(tempfile.gettempdir()) / f"limr-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with contextlib.ExitStack() as held, (folder / "choosing").open("a") as choosing:
        fcntl.flock(choosing, fcntl.LOCK_EX)  # one chooses at a time: two that hold half each would wait for ever
        mine: list[str] = []
        for gpu in sorted(visible_gpus(), key=lambda gpu: gpu.used):
            if len(mine) < number and _lock(held.enter_context((folder / gpu.uuid).open("a"))):
                mine.append(gpu.index)
        if len(mine) < number:
            return None
        claims.push(held.pop_all())
        return sorted(mine, key=int)


def _lock(file: IO[str]) -> bool:
    """Lock ``file`` until it is closed, or its process ends; False where another process has."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
