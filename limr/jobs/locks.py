"""One process a stage, on whatever machine it runs: a lock in a file beside the stage's log.

The file names its owner: host, process and, in a SLURM job, the job. It is made by a hard link, which succeeds for one
process only, on NFS too. An owner that is dead holds nothing:

* on the same machine, where its process has ended;
* elsewhere, in a SLURM job: where SLURM has ended the job, or does not know it any more;
* elsewhere, where SLURM cannot be asked: where it has given no sign of life (it touches the file) for ten minutes.

An owner that finds its lock in other hands, because it was suspended for long, ends itself.
"""

import contextlib
import errno
import json
import logging
import os
import signal
import socket
import threading
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from limr.errors import LimrError
from limr.jobs.slurm_jobs import is_alive

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_SIGNS = 30.0
SECONDS_WITHOUT_A_SIGN = 600.0


@dataclass(frozen=True)
class Owner:
    """A process that holds a lock."""

    token: str  # of this holding alone
    host: str
    machine: str  # changes with the machine, its boot and the container: process ids mean the same where it is equal
    process: int
    started: str | None  # in ticks since boot: another process may get the same id
    job: str | None  # SLURM's

    @classmethod
    def me(cls) -> "Owner":
        process = os.getpid()
        job = os.environ.get("SLURM_JOB_ID")
        return cls(uuid.uuid4().hex, socket.gethostname(), _machine(), process, _started(process), job)

    def lives(self, lock: Path) -> bool:
        """Whether the process still runs, as far as that can be known from here."""
        if self == _NOBODY:
            return False
        if self.machine == _machine():
            return _started(self.process) == self.started
        if self.job is not None:
            if self.job == os.environ.get("SLURM_JOB_ID"):
                return False  # this job, started again by SLURM after its node was lost, or it was preempted
            alive = is_alive(self.job)
            if alive is not None:
                return alive
        return _seconds_without_a_sign(lock) < SECONDS_WITHOUT_A_SIGN

    def __str__(self) -> str:
        elsewhere = "" if self.machine == _machine() else f" on {self.host}"
        return f"process {self.process}{elsewhere}{f' (SLURM job {self.job})' if self.job else ''}"

    @property
    def how_to_end(self) -> str:
        if self.job:
            return f"scancel {self.job}"
        return f"kill {self.process}" if self.machine == _machine() else f"ssh {self.host} kill {self.process}"


# of a file that none of ours has written: a lock has its text before it has its name
_NOBODY = Owner("nobody", "nowhere", "", 0, None, None)


@contextlib.contextmanager
def sole_owner(log: Path) -> Iterator[None]:
    """Hold the stage that logs to ``log`` against every other process, here and on machines that share the folder.

    Raises LimrError naming the owner that is at work: a killed snakemake leaves its jobs running, and two of them must
    not write the same files.
    """
    lock, me = log.with_name(f"{log.name}.lock"), Owner.me()
    owner = _take(lock, me)
    if owner is not None:
        raise LimrError(
            f"{log}: {owner} still works on this stage, left behind by an earlier run? Wait until it is done, or end "
            f"it ({owner.how_to_end}), and run again: a training run goes on from its last checkpoint. (On another "
            f"machine and unknown to SLURM it counts as dead {SECONDS_WITHOUT_A_SIGN / 60:.0f} minutes after it last "
            f"touched {lock.name}.)"
        )
    done = threading.Event()
    signs = threading.Thread(target=_give_signs, args=(lock, me, done), daemon=True)
    signs.start()
    try:
        yield
    finally:
        done.set()
        signs.join(timeout=5)  # which a file server that is away may hold up
        if _read(lock) == me:
            lock.unlink(missing_ok=True)


def living_owner(lock: Path) -> Owner | None:
    """Who holds ``lock``; None where there is no such file, or its owner is dead."""
    owner = _read(lock)
    return owner if owner is not None and owner.lives(lock) else None


def _take(lock: Path, me: Owner) -> Owner | None:
    """Make ``me`` the owner of ``lock``; None, or the living owner."""
    mine = lock.with_name(f".{lock.name}.{me.token}")
    try:
        with mine.open("w", encoding="utf-8") as file:
            file.write(json.dumps(asdict(me)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        while not _link(mine, lock):
            owner = _read(lock)
            if owner is None:  # given back in between
                continue
            if owner.lives(lock):
                return owner
            # a dead owner has one heir: whoever makes this file, and still finds the lock as it was left
            heir = lock.with_name(f"{lock.name}.{owner.token}")
            if not _link(mine, heir):
                other = _read(heir)
                if other is not None and other.lives(heir):
                    return other
                if other is not None:  # else it is gone, and what has the name by now is another's
                    heir.unlink(missing_ok=True)
                continue
            try:
                if _read(lock) == owner:
                    mine.replace(lock)
                    logger.info("going on where %s has left off", owner)
                    return None
            finally:
                heir.unlink(missing_ok=True)
        return None
    finally:
        mine.unlink(missing_ok=True)


def _link(source: Path, target: Path) -> bool:
    """Give ``source`` the name ``target`` too; False where that name is taken.

    Raises LimrError on a file system without hard links (exFAT, some cloud storage).
    """
    try:
        target.hardlink_to(source)
    except FileExistsError:
        # an answer of an NFS server may have been lost, and its repetition says so although the link is ours
        try:
            return target.samefile(source)
        except FileNotFoundError:  # given back in between
            return False
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
            raise
        raise LimrError(
            f"{target.parent}: {error.strerror}: this file system makes no hard links, by which two processes are kept "
            "from working on one stage. Put the results (`results` in the configuration) on another file system."
        ) from error
    return True


def _read(lock: Path) -> Owner | None:
    """The owner that ``lock`` names; None where there is no such file."""
    try:
        return Owner(**json.loads(lock.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        return _NOBODY


def _give_signs(lock: Path, me: Owner, done: threading.Event) -> None:
    """Touch ``lock`` every half minute until ``done``; end this process where the lock has become another's."""
    while not done.wait(SECONDS_BETWEEN_SIGNS):
        try:
            if _read(lock) == me:
                os.utime(lock)
                continue
        except OSError as error:  # a file server that is away comes back
            logger.warning("%s: no sign of life could be given: %s", lock, error)
            continue
        logger.error("%s belongs to another process now, this one was silent for too long: it ends itself", lock)
        os.kill(os.getpid(), signal.SIGTERM)
        return


def _seconds_without_a_sign(lock: Path) -> float:
    """Age of ``lock`` by the clock of the file system that it lies on, which may be another machine's."""
    now = lock.with_name(f".{lock.name}.{uuid.uuid4().hex}")
    try:
        now.touch()
        return now.stat().st_mtime - lock.stat().st_mtime
    except FileNotFoundError:  # given back in between
        return float("inf")
    finally:
        now.unlink(missing_ok=True)


def _machine() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id")
    space = Path("/proc/self/ns/pid")
    if not boot.exists():  # no Linux
        return socket.gethostname()
    return f"{boot.read_text(encoding='ascii').strip()} {space.readlink()}"


def _started(process: int) -> str | None:
    """When ``process`` started; None where there is none, or it has ended and waits for its parent only."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None if Path("/proc/self/stat").exists() else _exists(process)
    state, *fields = text.rpartition(")")[2].split()  # the name before it may hold anything
    return None if state in ("Z", "X") else fields[18]


def _exists(process: int) -> str | None:
    try:
        os.kill(process, 0)
    except OSError:
        return None
    return "runs"
