"""What the workflow's scripts have in common: their log, their errors, torch's threads, one process a stage."""

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

_FORMAT, _TIMES = "%(asctime)s %(message)s", "%H:%M:%S"


@contextmanager
def stage(snakemake: Any, threads: int = 1) -> Iterator[None]:
    """Run one stage: logging goes to ``snakemake.log[0]`` and to stderr, and a failure ends the process with status 1.

    A LimrError is shown as it is, any other exception with its traceback. ``threads`` are torch's: they come from
    the configuration, because Snakemake scales its own to the machine and another number of threads gives other
    rounding, and so another table. Import torch inside this block: it reads the number when it is loaded.
    """
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(threads)
    logging.basicConfig(level=logging.INFO, format=_FORMAT, datefmt=_TIMES)
    logging.captureWarnings(True)
    log = Path(snakemake.log[0])
    try:
        with sole_owner(log):
            to_file = logging.FileHandler(log, mode="w", encoding="utf-8")
            to_file.setFormatter(logging.Formatter(_FORMAT, _TIMES))
            logging.getLogger().addHandler(to_file)
            yield
    except LimrError as error:
        logger.error("Error: %s", error)
        sys.exit(1)
    except Exception:  # whatever it is, its traceback must be in the stage's log, and Snakemake must see a failure
        logger.exception("An error that limr did not expect:")
        sys.exit(1)


@contextmanager
def sole_owner(log: Path) -> Iterator[None]:
    """Hold the stage that logs to ``log`` against every other process on this machine; a dead owner holds nothing.

    Raises LimrError naming the process at work: a killed snakemake leaves its jobs running, and two of them must not
    write the same files.
    """
    with log.with_name(f"{log.name}.lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            owner = lock.read().strip()
            raise LimrError(
                f"{log}: process {owner} still works on this stage, left behind by an earlier run? Wait until it is "
                f"done, or end it (kill {owner}), and run again: a training run goes on from its last checkpoint."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
