"""Files are whole or absent: whatever goes wrong, the old content stands and nothing half-made is left behind.

The full disk is a real one where this process may mount one (a 64 KiB tmpfs), as root in a container may.
"""

import errno
import os
import subprocess
import uuid
from pathlib import Path

import polars as pl
import pytest
import torch
from safetensors.torch import save_file

from limr.errors import LimrError
from limr.files import atomic
from limr.files.atomic import whole_directory, whole_file, write_json, write_text

LARGE = 300_000  # bytes, more than the small disk holds


@pytest.fixture
def small_disk(tmp_path):
    """A directory on a file system of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
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


@pytest.mark.parametrize("failure", [ValueError("mine"), KeyboardInterrupt(), OSError(errno.EACCES, "denied")])
def test_a_failure_while_writing_keeps_the_old_file_and_passes_on(tmp_path, failure):
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
    with pytest.raises(ValueError, match="mine"), whole_directory(path) as temporary:
        (temporary / "new").write_text("half")
        raise ValueError("mine")
    assert names(path) == ["old"]
    assert names(tmp_path) == ["model"]


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
def test_a_full_disk_is_a_clear_error_and_loses_nothing_already_made(small_disk, write):
    path = small_disk / "artifact"
    write_text(path, "old")
    with pytest.raises(LimrError, match=r"artifact: the disk is full"):
        write(path)
    assert path.read_text() == "old"
    assert names(small_disk) == ["artifact"]


def test_a_full_disk_while_writing_a_directory_keeps_the_old_directory(small_disk):
    path = small_disk / "model"
    with whole_directory(path) as temporary:
        (temporary / "old").write_text("old")
    with pytest.raises(LimrError, match=r"model: the disk is full"), whole_directory(path) as temporary:
        save_file({"a": torch.randn(LARGE // 4)}, temporary / "model.safetensors")
    assert names(path) == ["old"]
    assert names(small_disk) == ["model"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_is_full_only_when_flushed_is_the_same_clear_error(tmp_path, monkeypatch, code):
    def full(_):
        raise OSError(code, os.strerror(code))

    write_text(tmp_path / "a.txt", "old")
    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(LimrError, match=r"a\.txt: the disk is full"):
        write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_an_error_that_only_speaks_of_full_things_is_not_a_full_disk(tmp_path):
    reason = f"the box is full {uuid.uuid4()}"
    with pytest.raises(RuntimeError, match=reason), whole_file(tmp_path / "a.txt"):
        raise RuntimeError(reason)
