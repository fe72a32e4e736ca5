"""One owner per stage across machines: running and dead owners are recognised, and only one process takes over."""

import errno
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from refusals import refused

from limr.errors import LimrError
from limr.jobs import locks
from limr.jobs.locks import Owner, running_owner, sole_owner


@pytest.fixture(autouse=True)
def no_slurm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    set_slurm_answer(monkeypatch, None)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "train.log"


def set_slurm_answer(monkeypatch: pytest.MonkeyPatch, alive: bool | None) -> None:
    monkeypatch.setattr(locks, "is_alive", lambda job: alive)


def owner_on_another_machine(job: str | None = None) -> Owner:
    return replace(Owner.this_process(), host="n7", machine="another boot", process=4711, job=job)


def write_lock(log: Path, owner: Owner, age: float = 0) -> Path:
    lock = log.with_name(f"{log.name}.lock")
    lock.write_text(json.dumps(asdict(owner)), encoding="utf-8")
    os.utime(lock, (time.time() - age, time.time() - age))
    return lock


def assert_held(log: Path, owner: str, advice: str = "") -> None:
    """``owner`` holds the stage that logs to ``log``, and the error names it."""
    with refused(where=log, what=f"{owner} still works on this stage", advice=advice), sole_owner(log):
        pass


def assert_free(log: Path) -> None:
    """This process can hold the stage that logs to ``log``."""
    with sole_owner(log):
        pass


def test_the_lock_names_its_owner_and_is_removed_at_the_end(log: Path) -> None:
    with sole_owner(log):
        lock = log.with_name("train.log.lock")
        owner = json.loads(lock.read_text(encoding="utf-8"))
        assert owner["process"] == os.getpid() and owner["host"] and owner["job"] is None
        assert_held(log, f"process {os.getpid()}")
    assert list(log.parent.iterdir()) == []


def test_a_file_system_without_hard_links_is_reported(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def exfat(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", exfat)
    with refused(where=log.parent, what="Operation not permitted: this file system has no hard links"):
        assert_free(log)
    assert list(log.parent.iterdir()) == []


def test_the_lock_is_removed_after_an_error(log: Path) -> None:
    with pytest.raises(ZeroDivisionError), sole_owner(log):
        1 / 0  # noqa: B018
    assert list(log.parent.iterdir()) == []


def test_neither_an_ended_process_nor_a_new_one_with_its_id_holds_the_stage(log: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    write_lock(log, replace(Owner.this_process(), process=int(ended.stdout)))
    assert_free(log)
    write_lock(log, replace(Owner.this_process(), started="1"))
    assert_free(log)


def test_a_zombie_process_does_not_hold_the_stage(log: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = replace(Owner.this_process(), process=child.pid, started=locks._start_time(child.pid))
    write_lock(log, owner)
    assert_held(log, f"process {child.pid}", advice=f"`kill {child.pid}`")
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert_free(log)
    child.wait()


def test_a_job_on_another_node_holds_the_stage_until_slurm_has_ended_it(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lock(log, owner_on_another_machine(job="12"), age=86400)
    set_slurm_answer(monkeypatch, True)
    assert_held(log, "process 4711 on n7 (SLURM job 12)", advice="`scancel 12`")
    set_slurm_answer(monkeypatch, False)
    assert_free(log)


def test_a_job_that_slurm_restarts_takes_over_its_own_lock(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_slurm_answer(monkeypatch, True)
    write_lock(log, owner_on_another_machine(job="12"))
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    assert_free(log)


def test_without_slurm_an_owner_elsewhere_is_dead_after_ten_minutes_without_a_heartbeat(log: Path) -> None:
    lock = write_lock(log, owner_on_another_machine(), age=300)
    assert_held(log, "process 4711 on n7", advice="`ssh n7 kill 4711`")
    assert_held(log, "process 4711 on n7", advice="dead 10 minutes after its last heartbeat")
    assert list(log.parent.iterdir()) == [lock]
    write_lock(log, owner_on_another_machine(job="12"), age=700)
    assert_free(log)


def test_a_lock_file_with_other_content_does_not_hold_the_stage(log: Path) -> None:
    for text in ("4711", "", "{}"):
        log.with_name("train.log.lock").write_text(text, encoding="utf-8")
        assert_free(log)


def test_an_owner_sends_heartbeats_and_ends_itself_after_a_takeover(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "HEARTBEAT_SECONDS", 0.02)
    signals: list[int] = []
    monkeypatch.setattr(locks.os, "kill", lambda process, number: signals.append(number))
    with sole_owner(log):
        lock = log.with_name("train.log.lock")
        os.utime(lock, (0, 0))
        deadline = time.monotonic() + 60
        while lock.stat().st_mtime == 0:
            assert time.monotonic() < deadline
        assert signals == []
        write_lock(log, other := owner_on_another_machine())
        while not signals:
            assert time.monotonic() < deadline
    assert running_owner(lock) == other, "the lock of the new owner stays"


def test_only_one_of_many_processes_takes_over_from_a_dead_owner(log: Path) -> None:
    """Threads replace processes here: like processes, they share nothing but the folder."""
    for _ in range(20):
        write_lock(log, replace(Owner.this_process(), started="1"))
        inside, most, turned_away, ready = [], [], [], threading.Barrier(8, timeout=60)

        def contend(inside: list = inside, most: list = most, turned_away: list = turned_away, ready=ready) -> None:
            ready.wait()
            try:
                with sole_owner(log):
                    inside.append(1)
                    most.append(len(inside))
                    ready.wait()  # until all have tried
                    inside.pop()
            except LimrError:
                turned_away.append(1)
                ready.wait()

        threads = [threading.Thread(target=contend) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(most), max(most), len(turned_away)) == (1, 1, 7)
        assert list(log.parent.iterdir()) == []
