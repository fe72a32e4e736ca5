"""What ``nvidia-smi`` lists, from a stand-in for it."""

import pytest
from nvidia_smi import H100, pretend_gpus

from limr.errors import LimrError
from limr.jobs import gpus
from limr.jobs.gpus import require_gpus, visible_gpus


@pytest.fixture
def two(tmp_path, monkeypatch):
    pretend_gpus(tmp_path, monkeypatch, H100, ("NVIDIA A100-SXM4-40GB", 40960, 2048, "8.0"))


def test_all_gpus_are_visible_with_their_memory_in_gib(two):
    first, second = visible_gpus()
    assert (first.name, round(first.memory), first.compute_capability) == ("NVIDIA H100 80GB HBM3", 80, "9.0")
    assert (second.index, second.memory, second.used) == ("1", 40.0, 2.0)


@pytest.mark.parametrize(("chosen", "indices"), [("1", ["1"]), ("1,0", ["1", "0"]), ("GPU-00000001", ["1"]), ("", [])])
def test_cuda_visible_devices_says_which_and_in_what_order(two, monkeypatch, chosen, indices):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)
    assert [gpu.index for gpu in visible_gpus()] == indices


def test_a_gpu_that_is_not_there_is_named_with_those_that_are(two, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")
    with pytest.raises(LimrError, match=r"found '2', expected a GPU that nvidia-smi lists: 0 \(GPU-00000000-aaaa\), 1"):
        visible_gpus()


def test_too_few_gpus_are_told_with_what_asks_for_more(two, monkeypatch):
    assert len(require_gpus(2, "two are wanted")) == 2
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(
        LimrError, match=r"found 1 GPUs \(CUDA_VISIBLE_DEVICES is '0'\): .*; expected 2, because two are"
    ):
        require_gpus(2, "two are wanted")


def test_without_nvidia_smi_there_are_no_gpus(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert visible_gpus() == []


def test_a_driver_that_fails_or_hangs_is_an_error_and_no_machine_without_gpus(tmp_path, monkeypatch):
    pretend_gpus(tmp_path, monkeypatch, fails="Failed to initialize NVML: Driver/library version mismatch")
    with pytest.raises(LimrError, match=r"nvidia-smi failed: Failed to initialize NVML"):
        visible_gpus()
    monkeypatch.setattr(gpus, "_SECONDS", 0.2)
    pretend_gpus(tmp_path, monkeypatch, hangs=True)
    with pytest.raises(LimrError, match=r"nvidia-smi gave no answer within 0\.2 seconds"):
        visible_gpus()
