"""What the workflow's scripts have in common: their log, their errors, torch's threads, one process a stage."""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from limr.errors import LimrError
from limr.jobs.gpu_slots import claimed, gpus_asked
from limr.jobs.locks import sole_owner

logger = logging.getLogger(__name__)

_FORMAT, _TIMES = "%(asctime)s %(message)s", "%H:%M:%S"
_STATUS_OF_SIGTERM = 128 + signal.SIGTERM


@contextmanager
def stage(snakemake: Any, threads: int = 1) -> Iterator[None]:
    """Run one stage: logging goes to ``snakemake.log[0]`` and to stderr, and a failure ends the process with status 1.

    A LimrError is shown as it is, any other exception with its traceback; SIGTERM ends the stage in order, so that no
    process of it, no lock and no half file is left. ``threads`` are torch's: they come from the configuration, because
    Snakemake scales its own to the machine and another number of threads gives other rounding, and so another table.
    Import torch inside this block: it reads the number when it is loaded. A rule that asks for GPUs (resource ``gres``)
    has so many of this machine's to itself.
    """
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(threads)
    gpus = gpus_asked(getattr(getattr(snakemake, "resources", None), "gres", None))
    if not gpus:
        _round_as_other_machines_do()
    logging.basicConfig(level=logging.INFO, format=_FORMAT, datefmt=_TIMES)
    logging.captureWarnings(True)
    log = Path(snakemake.log[0])
    _end_in_order()
    try:
        with sole_owner(log):
            to_file = logging.FileHandler(log, mode="w", encoding="utf-8")
            to_file.setFormatter(logging.Formatter(_FORMAT, _TIMES))
            logging.getLogger().addHandler(to_file)
            with claimed(gpus):
                yield
    except LimrError as error:
        logger.error("Error: %s", error)
        sys.exit(1)
    except _Terminated:
        logger.error(
            "Ended by SIGTERM: cancelled, preempted, or out of time? What was checkpointed is kept, and the next run "
            "goes on from there."
        )
        sys.exit(_STATUS_OF_SIGTERM)
    except Exception:  # whatever it is, its traceback must be in the stage's log, and Snakemake must see a failure
        logger.exception("An error that limr did not expect:")
        sys.exit(1)


def _round_as_other_machines_do() -> None:
    """Have torch leave AVX-512 alone: sums in wider vectors are rounded otherwise, and the table is another one.

    In models as small as the miniature's it is not faster.
    """
    processors = Path("/proc/cpuinfo")
    if processors.exists() and " avx512f" in processors.read_text(encoding="utf-8", errors="replace"):
        os.environ.setdefault("ATEN_CPU_CAPABILITY", "avx2")


class _Terminated(BaseException):
    """SIGTERM, as an exception: what stands under ``finally`` is done."""


def _end_in_order() -> None:
    """Have SIGTERM, of `kill`, or of SLURM before it kills a job, end this process by an exception."""
    process = os.getpid()

    def terminated(*_: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough
        if os.getpid() != process:  # a fork of it
            os._exit(_STATUS_OF_SIGTERM)
        raise _Terminated

    signal.signal(signal.SIGTERM, terminated)
