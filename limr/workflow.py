"""What the workflow's scripts have in common: their log, their errors, torch's threads, and who may train where."""

import fcntl
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from limr.errors import LimrError

logger = logging.getLogger(__name__)


@contextmanager
def stage(snakemake: Any, threads: int = 1) -> Iterator[None]:
    """Run one stage: logging goes to ``snakemake.log[0]`` and to stderr, and a failure ends the process with status 1.

    A LimrError is shown as it is, any other exception with its traceback. ``threads`` are torch's: they come from
    the configuration, because Snakemake scales its own to the machine and another number of threads gives other
    rounding, and so another table. Import torch inside this block: it reads the number when it is loaded.
    """
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(threads)
    handlers = [logging.StreamHandler(), logging.FileHandler(snakemake.log[0], mode="w", encoding="utf-8")]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", handlers=handlers)
    logging.captureWarnings(True)
    try:
        yield
    except LimrError as error:
        logger.error("Error: %s", error)
        sys.exit(1)
    except Exception:
        logger.exception("An error that limr did not expect:")
        sys.exit(1)


@contextmanager
def sole_owner(work: Path) -> Iterator[None]:
    """Hold the directory ``work`` against every other process on this machine; a dead owner holds nothing.

    Raises LimrError naming the process that works there: a killed snakemake leaves its jobs running.
    """
    work = Path(work)
    work.parent.mkdir(parents=True, exist_ok=True)
    with work.with_name(f"{work.name}.lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            owner = lock.read().strip()
            raise LimrError(
                f"{work}: process {owner} still works here, left behind by an earlier run? Wait until it is done, "
                f"or end it (kill {owner}), and run again: what it has reached is kept."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
