"""The block that all scripts of the workflow run in: log, errors, inputs, threads, GPUs, one process per stage."""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from limr.errors import LimrError, missing_package
from limr.jobs.gpu_slots import claimed, gpus_per_node
from limr.jobs.locks import sole_owner

logger = logging.getLogger(__name__)

_FORMAT, _TIMES = "%(asctime)s %(message)s", "%H:%M:%S"
_STATUS_OF_SIGTERM = 128 + signal.SIGTERM


@contextmanager
def stage(snakemake: Any, threads: int = 1) -> Iterator[None]:
    """Run one stage: log to ``snakemake.log[0]`` and stderr; on failure, end the process with status 1.

    A LimrError is shown without a traceback, and so is the error about a missing package. Any other exception is shown
    with its traceback. After SIGTERM the stage cleans up: it leaves no process, no lock and no partial file.

    ``threads`` is torch's number of threads, from the configuration. Snakemake scales its number of threads to the
    machine, but a different number rounds differently and gives another table. Import torch inside this block: it
    reads the number when it is loaded.

    A rule that requests GPUs (resource ``gres``) gets that many GPUs of this machine for itself.

    The stage does not start on an input that is too short, or that belongs to another run (``input_counts``).
    """
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(threads)
    gpus = gpus_per_node(getattr(getattr(snakemake, "resources", None), "gres", None))
    if not gpus:
        _disable_avx512()
    _let_children_find_limr()
    logging.basicConfig(level=logging.INFO, format=_FORMAT, datefmt=_TIMES)
    logging.captureWarnings(True)
    log = Path(snakemake.log[0])
    _raise_on_sigterm()
    try:
        with sole_owner(log):
            to_file = logging.FileHandler(log, mode="w", encoding="utf-8")
            to_file.setFormatter(logging.Formatter(_FORMAT, _TIMES))
            logging.getLogger().addHandler(to_file)
            _check_inputs(snakemake)
            with claimed(gpus):
                yield
    except LimrError as error:
        logger.error("Error: %s", error)
        sys.exit(1)
    except _Terminated:
        logger.error(
            "Ended by SIGTERM: cancelled, preempted, or out of time? Checkpoints are kept, and the next run resumes "
            "from the last one."
        )
        sys.exit(_STATUS_OF_SIGTERM)
    except Exception as error:  # the stage's log needs the traceback of any exception, and Snakemake needs the status
        missing = missing_package(error, "this stage") if isinstance(error, ModuleNotFoundError) else None
        if missing:
            logger.error("Error: %s", missing)
        else:
            logger.exception("Unexpected error:")
        sys.exit(1)


def _check_inputs(snakemake: Any) -> None:
    inputs = getattr(snakemake, "input", ())
    if inputs:
        from limr.jobs.input_counts import check_inputs  # here, so that a missing Polars is reported like any package

        check_inputs(inputs, snakemake.config)


def _disable_avx512() -> None:
    """Keep torch from using AVX-512, which rounds differently, so that all machines give the same table.

    In models as small as the miniature's, AVX-512 is not faster.
    """
    processors = Path("/proc/cpuinfo")
    if processors.exists() and " avx512f" in processors.read_text(encoding="utf-8", errors="replace"):
        os.environ.setdefault("ATEN_CPU_CAPABILITY", "avx2")


def _let_children_find_limr() -> None:
    """Put the checkout that this process imported limr from on PYTHONPATH, for processes that it starts.

    In an environment made by `--sdm conda` limr is not installed: Snakemake extends only the script's own ``sys.path``.
    """
    checkout = Path(__file__).parents[2]
    if checkout.name != "site-packages":  # children find an installed limr anyway
        paths = [str(checkout), *filter(None, [os.environ.get("PYTHONPATH")])]
        os.environ["PYTHONPATH"] = os.pathsep.join(paths)


class _Terminated(BaseException):
    """SIGTERM as an exception, so that ``finally`` blocks run."""


def _raise_on_sigterm() -> None:
    """Have SIGTERM raise ``_Terminated``. `kill` sends it, and SLURM does before it kills a job."""
    process = os.getpid()

    def terminate(*_: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not interrupt the clean-up
        if os.getpid() != process:  # a fork of the stage
            os._exit(_STATUS_OF_SIGTERM)
        raise _Terminated

    signal.signal(signal.SIGTERM, terminate)
