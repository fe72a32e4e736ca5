"""A real SLURM on this machine: two nodes of pretended size with eight pretended GPUs each, with or without accounts.

All its files are in one folder, and it listens on free ports. While it runs, /etc/slurm holds links to its settings,
because the plugin's jobs do not get SLURM_CONF. The daemons are children of this process and end with it.
It needs root and Debian's packages slurm-wlm, slurm-client, munge and, for accounts, slurmdbd and mariadb-server.

``python tests/support/cluster.py [--accounts]`` starts one and stops it at Ctrl-C.
"""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ETC = Path("/etc/slurm")
CONF = ("slurm.conf", "gres.conf", "slurmdbd.conf")
NODES = ("n1", "n2")
GPUS = 8
LISTENERS = ("slurmctld", "slurmdbd", "mariadb", "n1", "n2")
PACKAGES = ("slurm-wlm", "slurm-client", "munge", "slurmdbd", "mariadb-server")

SLURM_CONF = """\
ClusterName=limr
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[slurmctld]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CryptoType=crypto/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
ReturnToService=2
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
GresTypes=gpu
JobCompType=jobcomp/none
MinJobAge=300
InactiveLimit=0
KillWait=10
OverTimeLimit=0
SlurmdTimeout=10
{accounts}
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[n1]} CPUs=16 RealMemory=256000 Gres=gpu:{gpus}
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[n2]} CPUs=16 RealMemory=256000 Gres=gpu:{gpus}
PartitionName=cpu Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes=n1,n2 MaxTime=INFINITE State=UP
"""
NO_ACCOUNTS = "AccountingStorageType=accounting_storage/none\nJobAcctGatherType=jobacct_gather/none"
ACCOUNTS = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort={ports[slurmdbd]}
AccountingStoragePass={folder}/munge/socket
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment
JobAcctGatherType=jobacct_gather/linux"""
# SLURM sets CUDA_VISIBLE_DEVICES for files named nvidiaN; these devices are copies of /dev/null
GRES_CONF = "AutoDetect=off\nNodeName=n[1-2] Name=gpu File={folder}/gpus/nvidia[0-{last}]\n"
SLURMDBD_CONF = """\
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
DbdHost=localhost
DbdPort={ports[slurmdbd]}
SlurmUser=root
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={ports[mariadb]}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct_db
LogFile={folder}/slurmdbd.log
PidFile={folder}/slurmdbd.pid
"""


class Cluster:
    """A cluster that runs from ``up`` to ``down``, on ports that were free when it was created."""

    def __init__(self, accounts: bool) -> None:
        self.accounts = accounts
        self.folder = Path(tempfile.mkdtemp(prefix="limr-slurm-"))
        self.folder.chmod(0o755)
        self.ports = _free_ports()
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}

    def run(self, *command: str) -> str:
        """The output of ``command``. Raises RuntimeError with the output if it fails."""
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout

    def up(self) -> None:
        """Start the cluster. Raises RuntimeError if a part does not start, or another SLURM is installed here."""
        if (ETC / CONF[0]).exists() or (ETC / CONF[0]).is_symlink():
            raise RuntimeError(f"{ETC / CONF[0]} exists: it belongs to another SLURM, or a killed test left it behind")
        ETC.mkdir(exist_ok=True)
        for name in CONF:
            (ETC / name).symlink_to(self.folder / name)
        try:
            self._up()
        except BaseException:
            self.down()
            raise

    def _up(self) -> None:
        for name in ("state", "gpus", "spool.n1", "spool.n2"):
            (self.folder / name).mkdir()
        for number in range(GPUS):
            os.mknod(self.folder / "gpus" / f"nvidia{number}", 0o666 | 0o020000, os.makedev(1, 3))
        self._munge()
        if self.accounts:
            self._database()
        values = {"host": socket.gethostname().split(".")[0], "ports": self.ports, "folder": self.folder, "gpus": GPUS}
        accounts = (ACCOUNTS if self.accounts else NO_ACCOUNTS).format(**values)
        self._write("slurm.conf", SLURM_CONF.format(**values, accounts=accounts))
        self._write("gres.conf", GRES_CONF.format(folder=self.folder, last=GPUS - 1))
        if self.accounts:
            self._write("slurmdbd.conf", SLURMDBD_CONF.format(**values), mode=0o600)
            self._start("slurmdbd", "slurmdbd", "-D")
            self._wait("slurmdbd", lambda: self.run("sacctmgr", "--noheader", "show", "cluster") is not None)
            self.run("sacctmgr", "--immediate", "add", "cluster", "limr")
            self.run("sacctmgr", "--immediate", "add", "account", "paper")
            self.run("sacctmgr", "--immediate", "add", "user", "root", "account=paper", "defaultaccount=paper")
        self._start("slurmctld", "slurmctld", "-D")
        for node in NODES:
            self.start_node(node)
        self._wait("nodes", lambda: self.states() == dict.fromkeys(NODES, "idle"))

    def start_node(self, node: str) -> None:
        self._start(node, "slurmd", "-D", "-N", node)

    def kill_node(self, node: str) -> None:
        """Kill the node's daemon and all processes on it at once, as if its power had failed."""
        self.daemons.pop(node).kill()
        for process in _processes(lambda variables: variables.get("SLURMD_NODENAME") == node):
            _kill(process)
        for folder in Path("/proc").glob("[0-9]*"):  # the daemons of job steps have no such variable
            command = _read(folder / "cmdline").split(b"\0")[0].decode(errors="replace")
            if command.startswith("slurmstepd:") and self._spool_of(folder) == node:
                _kill(int(folder.name))

    def _spool_of(self, process: Path) -> str | None:
        """The node of a job step's daemon, which writes to that node's log."""
        for link in process.glob("fd/*"):
            target = str(link.readlink()) if link.is_symlink() else ""
            for node in NODES:
                if target.endswith(f"slurmd.{node}.log"):
                    return node
        return None

    def states(self) -> dict[str, str]:
        lines = self.run("sinfo", "--noheader", "--Node", "--partition=cpu", "--format=%N %T").split("\n")
        return dict(line.split()[:2] for line in lines if line.strip())

    def jobs(self, states: str = "all") -> list[dict[str, str]]:
        """Jobs in ``states``: id, state, comment (``rule_train_wildcards_...``) and nodes."""
        lines = self.run("squeue", "--noheader", f"--states={states}", "--format=%i|%T|%k|%N").splitlines()
        return [dict(zip(("id", "state", "comment", "nodes"), line.split("|"), strict=True)) for line in lines]

    def ids(self, states: str) -> set[str]:
        """The ids of the jobs in ``states``."""
        return {job["id"] for job in self.jobs(states)}

    def down(self) -> None:
        """Stop everything, jobs first."""
        if "slurmctld" in self.daemons:
            subprocess.run(["scancel", "--user=root"], capture_output=True, check=False)
            deadline = time.monotonic() + 20
            while self.jobs("running,completing") and time.monotonic() < deadline:
                time.sleep(0.5)
        for name in [*NODES, "slurmctld", "slurmdbd", "mariadbd", "munged"]:
            if daemon := self.daemons.pop(name, None):
                daemon.send_signal(signal.SIGTERM)
                try:
                    daemon.wait(timeout=30)
                except subprocess.TimeoutExpired:
                    daemon.kill()
                    daemon.wait()
        for name in CONF:
            (ETC / name).unlink()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _munge(self) -> None:
        folder = self.folder / "munge"
        folder.mkdir(mode=0o755)
        key = folder / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        shutil.chown(folder, "munge", "munge")
        shutil.chown(key, "munge", "munge")
        files = {name: folder / name for name in ("socket", "pid", "log", "seed")}
        self._start(
            "munged",
            *("runuser", "-u", "munge", "--", "/usr/sbin/munged", "--foreground", f"--key-file={key}"),
            *(f"--{option}={files[name]}" for option, name in
              (("socket", "socket"), ("pid-file", "pid"), ("log-file", "log"), ("seed-file", "seed"))),
        )  # fmt: skip
        self._wait("munged", lambda: bool(self.run("munge", "--no-input", f"--socket={files['socket']}")))

    def _database(self) -> None:
        data, sock = self.folder / "mariadb", self.folder / "mariadb.socket"
        self.run("mariadb-install-db", "--no-defaults", f"--datadir={data}", "--user=root", "--skip-test-db")
        self._start(
            "mariadbd", "mariadbd", "--no-defaults", "--user=root", f"--datadir={data}", f"--socket={sock}",
            f"--port={self.ports['mariadb']}", "--bind-address=127.0.0.1", "--innodb-buffer-pool-size=64M",
            f"--pid-file={self.folder}/mariadb.pid",
        )  # fmt: skip
        statements = (
            "create database slurm_acct_db; create user 'slurm'@'%' identified by 'slurm'; "
            "grant all on slurm_acct_db.* to 'slurm'@'%'"
        )
        self._wait("mariadbd", lambda: self.run("mariadb", f"--socket={sock}", "-e", "select 1") is not None)
        self.run("mariadb", f"--socket={sock}", "-e", statements)

    def _start(self, name: str, *command: str) -> None:
        output = (self.folder / f"{name}.out").open("ab")
        self.daemons[name] = subprocess.Popen(
            command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd=self.folder
        )

    def _wait(self, part: str, ready: Callable[[], bool]) -> None:
        """Wait until ``part`` of the cluster is ``ready``; a RuntimeError from ``ready`` means not yet."""
        deadline, problem = time.monotonic() + 60, ""
        while time.monotonic() < deadline:
            try:
                if ready():
                    return
            except RuntimeError as error:
                problem = str(error)
            time.sleep(0.5)
        logs = "\n".join(f"== {log}\n{log.read_text(errors='replace')[-2000:]}" for log in self.folder.glob("*.out"))
        raise RuntimeError(f"{part}: not ready after a minute: {problem}\n{logs}")

    def _write(self, name: str, text: str, mode: int = 0o644) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")
        (self.folder / name).chmod(mode)


def install() -> None:
    """Install the missing Debian packages. Raises RuntimeError if that is impossible."""
    needed = ("slurmctld", "slurmd", "slurmdbd", "munged", "mariadbd", "squeue")
    path = f"{os.environ['PATH']}:/usr/sbin"
    missing = [name for name in needed if shutil.which(name, path=path) is None]
    if not missing:
        return
    if os.geteuid() or shutil.which("apt-get") is None:
        raise RuntimeError(f"not installed: {', '.join(missing)}; expected root on Debian, or {', '.join(PACKAGES)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], ["apt-get", "install", "--yes", "--no-install-recommends", *PACKAGES]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stdout[-500:]}{done.stderr[-1000:]}")


def _free_ports() -> dict[str, int]:
    """A free port for each part that listens on one."""
    with contextlib.ExitStack() as sockets:
        opened = [sockets.enter_context(socket.socket()) for _ in LISTENERS]
        for each in opened:
            each.bind(("127.0.0.1", 0))  # all stay open until the last one is chosen, so no two are the same
        return {name: each.getsockname()[1] for name, each in zip(LISTENERS, opened, strict=True)}


def _processes(wanted: Callable[[dict[str, str]], bool]) -> list[int]:
    """Ids of the processes for which ``wanted(environment variables)`` is true."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        pairs = (pair.decode(errors="replace").partition("=") for pair in _read(folder / "environ").split(b"\0"))
        if wanted({name: value for name, _, value in pairs}):
            found.append(int(folder.name))
    return found


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:  # the process has ended
        return b""


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", action="store_true", help="with slurmdbd and MariaDB")
    install()
    cluster = Cluster(parser.parse_args().accounts)
    cluster.up()
    print(f"up: {', '.join(NODES)}; its files: {cluster.folder}", flush=True)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
    finally:
        cluster.down()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    main()
