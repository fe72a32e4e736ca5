"""Atomic writes: after any failure, the old content stays and no half-written file is left.

The full disk is a real one (a tmpfs of 64 KiB), which only root may mount. The writers that compete or are killed are
real processes.
"""

import errno
import os
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest
import torch
from refusals import refused
from safetensors.torch import save_file

from limr.files import atomic
from limr.files.atomic import whole_directory, whole_file, whole_group, write_json, write_text

LARGE = 300_000  # bytes, more than the small disk holds


@pytest.fixture
def small_disk(tmp_path):
    """A directory on a file system of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root may mount a small disk: run this test as root, in a container for example")
    yield disk
    subprocess.run(["umount", disk], check=True)


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_a_written_file_replaces_the_old_one_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "new" / "a.txt"
    write_text(path, "old")
    write_text(path, "neu: é\n")
    assert path.read_text(encoding="utf-8") == "neu: é\n"
    write_json(path, {"b": ["é"]})
    assert path.read_text(encoding="utf-8") == '{\n  "b": [\n    "é"\n  ]\n}\n'
    assert names(path.parent) == ["a.txt"]


@pytest.mark.parametrize("failure", [ValueError("a failure"), KeyboardInterrupt(), OSError(errno.EACCES, "denied")])
def test_a_failure_while_writing_keeps_the_old_file_and_is_raised_again(tmp_path, failure):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(type(failure)) as error, whole_file(path) as temporary:
        temporary.write_text("half")
        raise failure
    assert error.value is failure
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_the_final_name_is_absent_while_the_file_is_being_written(tmp_path):
    with whole_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        assert not (tmp_path / "a.txt").exists()


def test_a_directory_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "model"
    for name in ("old", "new"):
        with whole_directory(path) as temporary:
            (temporary / name).write_text(name)
    assert names(path) == ["new"]
    assert names(tmp_path) == ["model"]


def test_a_failure_in_a_directory_keeps_the_old_one(tmp_path):
    path = tmp_path / "model"
    with whole_directory(path) as temporary:
        (temporary / "old").write_text("old")
    with pytest.raises(ValueError, match="a failure"), whole_directory(path) as temporary:
        (temporary / "new").write_text("half")
        raise ValueError("a failure")
    assert names(path) == ["old"]
    assert names(tmp_path) == ["model"]


def test_a_group_of_files_is_replaced_together(tmp_path):
    for text in ("old", "new"):
        with whole_group(tmp_path / "a.txt") as temporary:
            for path in (temporary, temporary.with_suffix(".notes.md")):
                write_text(path, text)
            assert {path.read_text() for path in tmp_path.glob("a.*")} <= {"old"}
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.txt": "new", "a.notes.md": "new"}


def test_a_failure_in_a_group_keeps_all_old_files(tmp_path):
    with whole_group(tmp_path / "a.txt") as temporary:
        write_text(temporary, "old")
        write_text(temporary.with_suffix(".md"), "old")
    with pytest.raises(ValueError, match="a failure"), whole_group(tmp_path / "a.txt") as temporary:
        write_text(temporary.with_suffix(".md"), "new")
        raise ValueError("a failure")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.txt": "old", "a.md": "old"}


def test_the_main_file_of_a_group_never_lies_beside_files_of_another_write(tmp_path, monkeypatch):
    """The renames fail one after the other: after each failure, a reader finds no main file, or the files fit."""
    replace, done = Path.replace, []

    def fails(self, target):
        if self.parent.name.endswith(".partial") and len(done) == allowed:
            raise OSError(errno.EIO, "Input/output error")
        done.append(target) if self.parent.name.endswith(".partial") else None
        return replace(self, target)

    for allowed in range(4):
        (tmp_path / str(allowed)).mkdir()
        main, other, third = (tmp_path / str(allowed) / name for name in ("a.txt", "a.md", "a.json"))
        for path in (main, other, third):
            path.write_text("old")
        done.clear()
        with suppress(OSError), whole_group(main) as temporary:
            for path in (main, other, third):
                (temporary.parent / path.name).write_text("new")
            monkeypatch.setattr(Path, "replace", fails)
        monkeypatch.undo()
        assert not main.exists() or main.read_text() == other.read_text() == third.read_text()
        assert main.exists() == (allowed == 3)


def write_large_text(path: Path) -> None:
    write_text(path, "x" * LARGE)


def write_large_parquet(path: Path) -> None:
    with whole_file(path) as temporary:
        pl.DataFrame({"a": torch.randn(LARGE // 8).double().numpy()}).write_parquet(temporary)


def write_large_safetensors(path: Path) -> None:
    with whole_file(path) as temporary:
        save_file({"a": torch.randn(LARGE // 4)}, temporary)


def write_large_state(path: Path) -> None:
    with whole_file(path) as temporary, temporary.open("wb") as handle:
        torch.save({"a": torch.randn(LARGE // 4)}, handle)


WRITERS = [write_large_text, write_large_parquet, write_large_safetensors, write_large_state]


@pytest.mark.parametrize("write", WRITERS)
def test_a_full_disk_is_reported_as_such_and_keeps_the_old_file(small_disk, write):
    path = small_disk / "artifact"
    write_text(path, "old")
    with refused(where=path, what="the disk is full", advice="Free some disk space"):
        write(path)
    assert path.read_text() == "old"
    assert names(small_disk) == ["artifact"]


def test_a_full_disk_while_writing_a_directory_keeps_the_old_directory(small_disk):
    path = small_disk / "model"
    with whole_directory(path) as temporary:
        (temporary / "old").write_text("old")
    with refused(where=path, what="the disk is full"), whole_directory(path) as temporary:
        save_file({"a": torch.randn(LARGE // 4)}, temporary / "model.safetensors")
    assert names(path) == ["old"]
    assert names(small_disk) == ["model"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_is_full_only_on_flush_raises_the_same_error(tmp_path, monkeypatch, code):
    def full(_):
        raise OSError(code, os.strerror(code))

    write_text(tmp_path / "a.txt", "old")
    monkeypatch.setattr(atomic.os, "fsync", full)
    with refused(where="a.txt", what="the disk is full"):
        write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_an_error_that_only_contains_the_word_full_is_not_a_full_disk(tmp_path):
    reason = f"the box is full {uuid.uuid4()}"
    with pytest.raises(RuntimeError, match=reason), whole_file(tmp_path / "a.txt"):
        raise RuntimeError(reason)


# --- several writers of one name

WRITE_AGAIN_AND_AGAIN = """
import sys, time
from pathlib import Path
from limr.files.atomic import whole_directory, whole_file, write_text
path, letter, kind = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
ends = time.monotonic() + 1.5
while time.monotonic() < ends:
    if kind == "file":
        with whole_file(path) as temporary, temporary.open("w") as stream:
            for _ in range(ord(letter)):
                stream.write(letter * 1000)
    else:
        with whole_directory(path) as temporary:
            for number in range(5):
                write_text(temporary / f"{letter}{number}", letter)
"""
HOLD = """
import sys, time
from limr.files.atomic import whole_directory, whole_file
with (whole_directory if sys.argv[2] == "directory" else whole_file)(sys.argv[1]) as temporary:
    (temporary / "half" if sys.argv[2] == "directory" else temporary).write_text("half")
    print("writing", flush=True)
    sys.stdin.readline()
"""


def start(program: str, *arguments: object) -> subprocess.Popen:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def half_finished_writer(path: Path, kind: str) -> subprocess.Popen:
    """A process that has written half of ``path`` and waits for a line on standard input."""
    process = start(HOLD, path, kind)
    assert process.stdout.readline() == "writing\n"
    return process


def finish(process: subprocess.Popen) -> None:
    process.communicate("go on\n", timeout=60)
    assert process.returncode == 0


def kill(process: subprocess.Popen) -> None:
    process.kill()
    process.communicate()


def test_processes_that_write_one_file_at_once_never_show_or_leave_a_partial_file(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "A" * 65_000)
    writers = [start(WRITE_AGAIN_AND_AGAIN, path, letter, "file") for letter in "ABC"]
    reads = set()
    while any(writer.poll() is None for writer in writers):
        text = path.read_text()
        assert text == text[0] * ord(text[0]) * 1000
        reads.add(text[0])
    for writer in writers:
        finish(writer)
    assert len(reads) > 1
    assert names(tmp_path) == ["a.txt"]


def test_processes_that_write_one_directory_at_once_leave_one_complete_directory(tmp_path):
    path = tmp_path / "model"
    for writer in [start(WRITE_AGAIN_AND_AGAIN, path, letter, "directory") for letter in "ABC"]:
        finish(writer)
    letter = names(path)[0][0]
    assert names(path) == [f"{letter}{number}" for number in range(5)]
    assert names(tmp_path) == ["model"]


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_the_writer_that_finishes_last_wins(tmp_path, kind):
    path = tmp_path / "artifact"
    slow = half_finished_writer(path, kind)
    quick = half_finished_writer(path, kind)
    finish(quick)
    if kind == "file":
        path.write_text("the quick one's")
    else:
        (path / "half").write_text("the quick one's")
    finish(slow)
    assert (path if kind == "file" else path / "half").read_text() == "half"
    assert names(tmp_path) == ["artifact"]


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_the_next_writer_removes_files_of_a_killed_writer_and_keeps_those_of_a_living_one(tmp_path, kind):
    path = tmp_path / "artifact"
    killed, living = half_finished_writer(path, kind), half_finished_writer(path, kind)
    kill(killed)
    assert len(names(tmp_path)) == 2, "a process that is killed cannot clean up"
    assert not path.exists()
    finish(half_finished_writer(path, kind))
    left = [name for name in names(tmp_path) if name != "artifact"]
    assert len(left) == 1
    assert f"-{living.pid}-" in left[0]
    finish(living)
    assert names(tmp_path) == ["artifact"]


def test_a_writer_that_is_killed_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    kill(half_finished_writer(path, "file"))
    assert path.read_text() == "old"
    write_text(path, "new")
    assert names(tmp_path) == ["a.txt"]


def test_leftovers_of_another_machine_are_removed_after_a_day_without_a_change(tmp_path):
    recent, old = (tmp_path / f".a.txt.0123abcd-{number}-0123abcd.partial" for number in (1, 2))
    old_directory = tmp_path / ".a.txt.0123abcd-3-0123abcd.partial"
    old_directory.mkdir()
    for path in (recent, old, old_directory / "part"):
        path.write_text("half")
    for path in (old, old_directory / "part", old_directory):
        os.utime(path, (time.time() - 2 * atomic.ABANDONED_SECONDS,) * 2)
    write_text(tmp_path / "a.txt", "new")
    assert names(tmp_path) == [recent.name, "a.txt"]


def test_leftovers_of_other_names_are_not_touched(tmp_path):
    kill(half_finished_writer(tmp_path / "a.txt", "file"))
    (tmp_path / ".a.notes.partial").write_text("notes")
    left = names(tmp_path)
    write_text(tmp_path / "a", "new")
    assert names(tmp_path) == sorted([*left, "a"])
