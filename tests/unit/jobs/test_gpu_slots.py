"""GPUs of one machine, shared among stages: no two stages use the same GPU."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from nvidia_smi import H100, pretend_gpus

from limr.jobs import gpu_slots
from limr.jobs.gpu_slots import claimed, number_of_slots

BUSY = (H100[0], H100[1], 40000, H100[3])
HOLD = """
import os
from limr.jobs.gpu_slots import claimed
with claimed(2):
    print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_slots.tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


def test_there_are_as_many_slots_as_gpus_and_one_without_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_gpus(tmp_path, monkeypatch, H100, H100, H100)
    assert number_of_slots() == 3
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2")
    assert number_of_slots() == 2
    pretend_gpus(tmp_path, monkeypatch)
    assert number_of_slots() == 1
    pretend_gpus(tmp_path, monkeypatch, fails="driver mismatch")
    assert number_of_slots() == 1


def test_two_stages_have_two_gpus_each_and_a_third_waits_until_the_first_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_gpus(tmp_path, monkeypatch, H100, H100, H100, H100)
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ
    )
    theirs = set(other.stdout.readline().strip().split(","))
    with claimed(2):
        own = set(os.environ["CUDA_VISIBLE_DEVICES"].split(","))
        assert len(own) == len(theirs) == 2 and not own & theirs
        waits = []
        # replaces the module's `time`, not `time.sleep`, because threads of other tests sleep too
        clock = SimpleNamespace(sleep=lambda _: (waits.append(1), other.kill(), other.wait()))
        monkeypatch.setattr(gpu_slots, "time", clock)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
        with claimed(2):
            assert set(os.environ["CUDA_VISIBLE_DEVICES"].split(",")) == theirs
        assert waits == [1], "the GPUs of the killed stage are free at the second attempt"


def test_gpus_with_the_least_memory_in_use_are_claimed_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_gpus(tmp_path, monkeypatch, BUSY, H100, H100)
    with claimed(2):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "1,2"
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


@pytest.mark.parametrize(("number", "ray"), [(0, None), (3, None), (1, "head:6379")])
def test_nothing_is_claimed_without_need_with_too_few_gpus_or_inside_a_ray_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, ray: str | None
) -> None:
    pretend_gpus(tmp_path, monkeypatch, H100, H100)
    if ray:
        monkeypatch.setenv("RAY_ADDRESS", ray)
    with claimed(number):
        assert "CUDA_VISIBLE_DEVICES" not in os.environ
