"""One owner a stage, over machines: who is alive, who is dead, and that a dead owner has one heir."""

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

from limr.errors import LimrError
from limr.jobs import locks
from limr.jobs.locks import Owner, living_owner, sole_owner


@pytest.fixture(autouse=True)
def no_slurm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    slurm_says(monkeypatch, None)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "train.log"


def slurm_says(monkeypatch: pytest.MonkeyPatch, alive: bool | None) -> None:
    monkeypatch.setattr(locks, "is_alive", lambda job: alive)


def elsewhere(job: str | None = None) -> Owner:
    return replace(Owner.me(), host="n7", machine="another boot", process=4711, job=job)


def leave_lock(log: Path, owner: Owner, age: float = 0) -> Path:
    lock = log.with_name(f"{log.name}.lock")
    lock.write_text(json.dumps(asdict(owner)), encoding="utf-8")
    os.utime(lock, (time.time() - age, time.time() - age))
    return lock


def refusal(log: Path) -> str:
    with pytest.raises(LimrError) as error, sole_owner(log):
        pass
    return str(error.value)


def test_the_lock_names_its_owner_and_is_given_back(log: Path) -> None:
    with sole_owner(log):
        lock = log.with_name("train.log.lock")
        owner = json.loads(lock.read_text(encoding="utf-8"))
        assert owner["process"] == os.getpid() and owner["host"] and owner["job"] is None
        assert f"process {os.getpid()} still works" in refusal(log)
    assert list(log.parent.iterdir()) == []


def test_a_file_system_without_hard_links_is_told(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def exfat(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", exfat)
    assert f"{log.parent}: Operation not permitted: this file system makes no hard links" in refusal(log)
    assert list(log.parent.iterdir()) == []


def test_it_is_given_back_after_an_error(log: Path) -> None:
    with pytest.raises(ZeroDivisionError), sole_owner(log):
        1 / 0  # noqa: B018
    assert list(log.parent.iterdir()) == []


def test_a_process_that_has_ended_holds_nothing_nor_does_one_that_got_its_id(log: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    leave_lock(log, replace(Owner.me(), process=int(ended.stdout)))
    with sole_owner(log):
        pass
    leave_lock(log, replace(Owner.me(), started="1"))
    with sole_owner(log):
        pass


def test_a_process_that_ended_and_was_not_waited_for_holds_nothing(log: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = replace(Owner.me(), process=child.pid, started=locks._started(child.pid))
    leave_lock(log, owner)
    assert f"kill {child.pid}" in refusal(log)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    with sole_owner(log):
        pass
    child.wait()


def test_a_job_on_another_node_holds_the_stage_as_long_as_slurm_has_it(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_lock(log, elsewhere(job="12"), age=86400)
    slurm_says(monkeypatch, True)
    assert "process 4711 on n7 (SLURM job 12) still works" in (said := refusal(log)) and "scancel 12" in said
    slurm_says(monkeypatch, False)
    with sole_owner(log):
        pass


def test_a_job_that_slurm_starts_again_takes_its_own_lock_over(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slurm_says(monkeypatch, True)
    leave_lock(log, elsewhere(job="12"))
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    with sole_owner(log):
        pass


def test_where_slurm_cannot_say_an_owner_elsewhere_is_dead_after_ten_minutes_of_silence(log: Path) -> None:
    lock = leave_lock(log, elsewhere(), age=300)
    assert "ssh n7 kill 4711" in (said := refusal(log)) and "dead 10 minutes after" in said
    assert list(log.parent.iterdir()) == [lock]
    leave_lock(log, elsewhere(job="12"), age=700)
    with sole_owner(log):
        pass


def test_a_file_of_another_kind_under_the_lock_s_name_holds_nothing(log: Path) -> None:
    for text in ("4711", "", "{}"):
        log.with_name("train.log.lock").write_text(text, encoding="utf-8")
        with sole_owner(log):
            pass


def test_an_owner_touches_its_lock_and_ends_itself_when_it_has_lost_it(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "SECONDS_BETWEEN_SIGNS", 0.02)
    signals: list[int] = []
    monkeypatch.setattr(locks.os, "kill", lambda process, number: signals.append(number))
    with sole_owner(log):
        lock = log.with_name("train.log.lock")
        os.utime(lock, (0, 0))
        deadline = time.monotonic() + 10
        while lock.stat().st_mtime == 0:
            assert time.monotonic() < deadline
        assert signals == []
        leave_lock(log, other := elsewhere())
        while not signals:
            assert time.monotonic() < deadline
    assert living_owner(lock) == other, "what is another's is not taken away"


def test_of_many_that_find_a_dead_owner_one_takes_its_place(log: Path) -> None:
    """Threads stand for processes: all they share is the folder."""
    for _ in range(20):
        leave_lock(log, replace(Owner.me(), started="1"))
        inside, most, refused, ready = [], [], [], threading.Barrier(8, timeout=60)

        def contend(inside: list = inside, most: list = most, refused: list = refused, ready=ready) -> None:
            ready.wait()
            try:
                with sole_owner(log):
                    inside.append(1)
                    most.append(len(inside))
                    ready.wait()  # until all have tried
                    inside.pop()
            except LimrError:
                refused.append(1)
                ready.wait()

        threads = [threading.Thread(target=contend) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(most), max(most), len(refused)) == (1, 1, 7)
        assert list(log.parent.iterdir()) == []
