"""The GPUs that a stand-in for ``nvidia-smi`` lists."""

from pathlib import Path

import pytest
from nvidia_smi import H100, pretend_gpus
from refusals import refused

from limr.jobs import gpus
from limr.jobs.gpus import require_gpus, visible_gpus


@pytest.fixture
def two_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_gpus(tmp_path, monkeypatch, H100, ("NVIDIA A100-SXM4-40GB", 40960, 2048, "8.0"))


@pytest.mark.usefixtures("two_gpus")
def test_all_gpus_are_visible_with_their_memory_in_gib() -> None:
    first, second = visible_gpus()
    assert (first.name, round(first.memory), first.compute_capability) == ("NVIDIA H100 80GB HBM3", 80, "9.0")
    assert (second.index, second.memory, second.used) == ("1", 40.0, 2.0)


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(("visible", "indices"), [("1", ["1"]), ("1,0", ["1", "0"]), ("GPU-00000001", ["1"]), ("", [])])
def test_cuda_visible_devices_sets_the_gpus_and_their_order(
    monkeypatch: pytest.MonkeyPatch, visible: str, indices: list[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert [gpu.index for gpu in visible_gpus()] == indices


@pytest.mark.usefixtures("two_gpus")
def test_an_unknown_gpu_is_named_with_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")
    expected = "a GPU that nvidia-smi lists: 0 (GPU-00000000-aaaa), 1"
    with refused(where="CUDA_VISIBLE_DEVICES", found='"2"', expected=expected):
        visible_gpus()


@pytest.mark.usefixtures("two_gpus")
def test_too_few_gpus_are_reported_with_the_setting_that_needs_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(require_gpus(2, "two are wanted")) == 2
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    found = "1 GPU (NVIDIA H100 80GB HBM3, visible with CUDA_VISIBLE_DEVICES=0)"
    with refused(found=found, expected="2, because two are wanted"):
        require_gpus(2, "two are wanted")


def test_without_nvidia_smi_there_are_no_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert visible_gpus() == []


def test_a_driver_that_fails_or_hangs_is_an_error_not_a_machine_without_gpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_gpus(tmp_path, monkeypatch, fails="Failed to initialize NVML: Driver/library version mismatch")
    with refused(where="nvidia-smi", what="failed: Failed to initialize NVML"):
        visible_gpus()
    monkeypatch.setattr(gpus, "_TIMEOUT", 0.2)
    pretend_gpus(tmp_path, monkeypatch, hangs=True)
    with refused(where="nvidia-smi", what="no answer within 0.2 seconds"):
        visible_gpus()
