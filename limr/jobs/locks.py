"""A lock file beside the stage's log: only one process works on a stage, across all machines.

The file names its owner: host, process and, inside a SLURM job, the job. It is created by a hard link, which succeeds
for one process only, on NFS too. While it works, the owner touches the file every 30 seconds: its heartbeat. Another
process takes the lock over when the owner is dead:

* on the same machine: its process has ended;
* on another machine, in a SLURM job: the job has ended, or SLURM no longer lists it;
* on another machine, without an answer from SLURM: no heartbeat for ten minutes.

An owner that was suspended for a long time may find that another process has taken over. It then ends itself.
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

HEARTBEAT_SECONDS = 30.0
HEARTBEAT_TIMEOUT = 600.0


@dataclass(frozen=True)
class Owner:
    """A process that holds a lock."""

    token: str  # a new one each time that a lock is taken
    host: str
    machine: str  # differs between machines, boots and containers; where it is equal, process ids can be compared
    process: int
    started: str | None  # in ticks since boot, because a later process may get the same id
    job: str | None  # of SLURM

    @classmethod
    def this_process(cls) -> "Owner":
        process = os.getpid()
        job = os.environ.get("SLURM_JOB_ID")
        return cls(uuid.uuid4().hex, socket.gethostname(), _machine(), process, _start_time(process), job)

    def is_running(self, lock: Path) -> bool:
        """Whether the process still runs, as far as this machine can tell."""
        if self == _UNKNOWN_OWNER:
            return False
        if self.machine == _machine():
            return _start_time(self.process) == self.started
        if self.job is not None:
            if self.job == os.environ.get("SLURM_JOB_ID"):
                return False  # SLURM has restarted this very job: its node was lost, or it was preempted
            alive = is_alive(self.job)
            if alive is not None:
                return alive
        return _heartbeat_age(lock) < HEARTBEAT_TIMEOUT

    def __str__(self) -> str:
        elsewhere = "" if self.machine == _machine() else f" on {self.host}"
        return f"process {self.process}{elsewhere}{f' (SLURM job {self.job})' if self.job else ''}"

    @property
    def kill_command(self) -> str:
        if self.job:
            return f"scancel {self.job}"
        return f"kill {self.process}" if self.machine == _machine() else f"ssh {self.host} kill {self.process}"


# The owner of a lock file that limr did not write. limr's files are never incomplete: it writes the text before it
# creates the name.
_UNKNOWN_OWNER = Owner("nobody", "an unknown host", "", 0, None, None)


@contextlib.contextmanager
def sole_owner(log: Path) -> Iterator[None]:
    """Lock the stage that logs to ``log``, so that no other process here or on another machine works on it.

    Raises LimrError naming the owner if one is running. A killed snakemake leaves its jobs running, and two jobs must
    not write the same files.
    """
    lock, this = log.with_name(f"{log.name}.lock"), Owner.this_process()
    owner = _acquire(lock, this)
    if owner is not None:
        raise LimrError(
            f"{owner} still works on this stage, perhaps left behind by an earlier run",
            where=log,
            advice=f"Wait until it is done, or end it (`{owner.kill_command}`) and run again: training resumes from "
            f"its last checkpoint. (On another machine without SLURM, a process counts as dead "
            f"{HEARTBEAT_TIMEOUT / 60:.0f} minutes after its last heartbeat, the modification time of {lock.name}.)",
        )
    done = threading.Event()
    heartbeat = threading.Thread(target=_send_heartbeats, args=(lock, this, done), daemon=True)
    heartbeat.start()
    try:
        yield
    finally:
        done.set()
        heartbeat.join(timeout=5)  # an unreachable file server may block it
        if _read(lock) == this:
            lock.unlink(missing_ok=True)


def running_owner(lock: Path) -> Owner | None:
    """The owner of ``lock``; None if there is no such file or its owner is dead."""
    owner = _read(lock)
    return owner if owner is not None and owner.is_running(lock) else None


def _acquire(lock: Path, this: Owner) -> Owner | None:
    """Make ``this`` the owner of ``lock`` and return None; or return the owner that is still running."""
    own_file = lock.with_name(f".{lock.name}.{this.token}")
    try:
        with own_file.open("w", encoding="utf-8") as file:
            file.write(json.dumps(asdict(this)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        while not _link(own_file, lock):
            owner = _read(lock)
            if owner is None:  # released in the meantime
                continue
            if owner.is_running(lock):
                return owner
            # Several processes may find a dead owner, but only one of them must take over. That one creates this second
            # lock, named after the dead owner, and then checks that the first lock still names the dead owner.
            takeover = lock.with_name(f"{lock.name}.{owner.token}")
            if not _link(own_file, takeover):
                rival = _read(takeover)
                if rival is not None and rival.is_running(takeover):
                    return rival
                if rival is not None:  # otherwise it is gone, and a file of that name now belongs to another process
                    takeover.unlink(missing_ok=True)
                continue
            try:
                if _read(lock) == owner:
                    own_file.replace(lock)
                    logger.info("taking over from %s, which has ended", owner)
                    return None
            finally:
                takeover.unlink(missing_ok=True)
        return None
    finally:
        own_file.unlink(missing_ok=True)


def _link(source: Path, target: Path) -> bool:
    """Give ``source`` the second name ``target``; False if that name is taken.

    Raises LimrError on a file system without hard links (exFAT, some cloud storage).
    """
    try:
        target.hardlink_to(source)
    except FileExistsError:
        # If an NFS server's answer is lost, the repeated request fails although the link was made.
        try:
            return target.samefile(source)
        except FileNotFoundError:  # released in the meantime
            return False
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
            raise
        raise LimrError(
            f"{error.strerror}: this file system has no hard links, which keep two processes from working on one stage",
            where=target.parent,
            advice="Put the results (`results` in the configuration) on another file system.",
        ) from error
    return True


def _read(lock: Path) -> Owner | None:
    """The owner that ``lock`` names; None if there is no such file."""
    try:
        return Owner(**json.loads(lock.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        return _UNKNOWN_OWNER


def _send_heartbeats(lock: Path, this: Owner, done: threading.Event) -> None:
    """Touch ``lock`` every 30 seconds until ``done``; end this process if another one has taken the lock over."""
    while not done.wait(HEARTBEAT_SECONDS):
        try:
            if _read(lock) == this:
                os.utime(lock)
                continue
        except OSError as error:  # an unreachable file server may come back
            logger.warning("%s: no heartbeat: %s", lock, error)
            continue
        logger.error("%s: another process has taken over, because this one sent no heartbeat; ending", lock)
        os.kill(os.getpid(), signal.SIGTERM)
        return


def _heartbeat_age(lock: Path) -> float:
    """Seconds since ``lock`` was touched, by the clock of the file server, which may differ from this machine's."""
    now = lock.with_name(f".{lock.name}.{uuid.uuid4().hex}")
    try:
        now.touch()
        return now.stat().st_mtime - lock.stat().st_mtime
    except FileNotFoundError:  # released in the meantime
        return float("inf")
    finally:
        now.unlink(missing_ok=True)


def _machine() -> str:
    """Text that two processes share if they see the same process ids."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    namespace = Path("/proc/self/ns/pid")
    if not boot.exists():  # not Linux
        return socket.gethostname()
    return f"{boot.read_text(encoding='ascii').strip()} {namespace.readlink()}"


def _start_time(process: int) -> str | None:
    """When ``process`` started; None if no such process exists, or if it is a zombie."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None if Path("/proc/self/stat").exists() else _runs(process)
    state, *fields = text.rpartition(")")[2].split()  # after the name in brackets, which may hold any text
    return None if state in ("Z", "X") else fields[18]


def _runs(process: int) -> str | None:
    """A constant if ``process`` runs, on systems that do not report its start time."""
    try:
        os.kill(process, 0)
    except OSError:
        return None
    return "runs"
