"""Shares the GPUs of one machine among the stages that run at the same time: no two stages use the same GPU.

Snakemake starts as many stages as there are GPUs for (resource ``gpu_slot``, which profiles/default sets from
``number_of_slots``), but it does not assign GPUs to them. So each stage claims as many GPUs as it needs.
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

_SECONDS_BETWEEN_ATTEMPTS = 2.0


def number_of_slots() -> int:
    """Number of GPUs that stages may use on this machine; 1 if there is none or they cannot be listed.

    A stage that needs more GPUs still starts, and its own check reports the error.
    """
    try:
        return max(1, len(visible_gpus()))
    except LimrError:
        return 1


def gpus_per_node(gres: str | None) -> int:
    """Number of GPUs of a node in SLURM's notation.

    >>> gpus_per_node("gpu:8"), gpus_per_node("gpu:a100:4"), gpus_per_node("gpu"), gpus_per_node(None)
    (8, 4, 1, 0)
    """
    kind, *rest = (gres or "").split(":")
    if kind != "gpu":
        return 0
    return int(rest[-1]) if rest and rest[-1].isdigit() else 1


@contextlib.contextmanager
def claimed(number: int) -> Iterator[None]:
    """Give this process and its children ``number`` GPUs that no other stage on this machine uses.

    Waits until that many are free. Claims nothing if the machine has fewer, or inside a running Ray cluster.
    """
    if not number or "RAY_ADDRESS" in os.environ or len(visible_gpus()) < number:
        yield
        return
    before = os.environ.get("CUDA_VISIBLE_DEVICES")
    with contextlib.ExitStack() as claims:
        if (indices := _claim(number, claims)) is None:
            logger.info("waiting for %d GPUs that no other stage uses", number)
        while indices is None:
            time.sleep(_SECONDS_BETWEEN_ATTEMPTS)
            indices = _claim(number, claims)
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(indices)
        logger.info("using GPUs %s", ", ".join(indices))
        try:
            yield
        finally:
            if before is None:
                os.environ.pop("CUDA_VISIBLE_DEVICES", None)
            else:
                os.environ["CUDA_VISIBLE_DEVICES"] = before


def _claim(number: int, claims: contextlib.ExitStack) -> list[str] | None:
    """Lock the ``number`` least used free GPUs until ``claims`` closes; None if too few are free."""
    folder = Path(tempfile.gettempdir()) / f"limr-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with contextlib.ExitStack() as locks, (folder / "choosing").open("a") as choosing:
        # One process chooses at a time. Otherwise two could hold half of the GPUs each and wait forever.
        fcntl.flock(choosing, fcntl.LOCK_EX)
        indices: list[str] = []
        for gpu in sorted(visible_gpus(), key=lambda gpu: gpu.used):
            if len(indices) < number and _lock(locks.enter_context((folder / gpu.uuid).open("a"))):
                indices.append(gpu.index)
        if len(indices) < number:
            return None
        claims.push(locks.pop_all())
        return sorted(indices, key=int)


def _lock(file: IO[str]) -> bool:
    """Lock ``file`` until it is closed or this process ends; False if another process holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
