"""The site's file: the settings that the profile takes from it, and the errors about mistakes in it."""

import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT
from refusals import refused

from limr.jobs import slurm_site


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """slurm/site.yaml, empty, in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LIMR_SLURM_SITE", raising=False)
    slurm_site.SITE_FILE.parent.mkdir()
    slurm_site.SITE_FILE.touch()
    return slurm_site.SITE_FILE


def test_without_a_file_the_profile_s_own_values_apply(file: Path) -> None:
    file.unlink()
    assert slurm_site.partition_file() is None and slurm_site.set_resources() is None
    assert slurm_site.default_resources({"runtime": 60}) == {"runtime": 60}


def test_the_site_overrides_the_profile_and_text_is_not_evaluated(file: Path) -> None:
    file.write_text(
        "default-resources: {runtime: 90, qos: night-7}\nset-resources: {train: {gres: gpu:a100:8}}", "utf-8"
    )
    assert slurm_site.default_resources({"runtime": 60, "mem_mb": 1}) == {
        "runtime": 90,
        "mem_mb": 1,
        "qos": "'night-7'",
    }
    assert slurm_site.set_resources() == {"train": {"gres": "'gpu:a100:8'"}}
    assert slurm_site.partition_file() is None


def test_the_plugin_reads_partitions_from_the_same_file(file: Path) -> None:
    from snakemake_executor_plugin_slurm.partitions import read_partition_file

    example = ROOT / "slurm" / "site.example.yaml"
    file.write_text(example.read_text(encoding="utf-8"), encoding="utf-8")
    partitions = read_partition_file(Path(slurm_site.partition_file() or ""))
    assert [(partition.name, partition.limits.max_gpu) for partition in partitions] == [("cpu", 0), ("gpu", 8)]


def test_another_file_can_be_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("other.yaml").write_text("partitions: {gpu: {}}", encoding="utf-8")
    monkeypatch.setenv("LIMR_SLURM_SITE", "other.yaml")
    assert slurm_site.partition_file() == "other.yaml"
    monkeypatch.setenv("LIMR_SLURM_SITE", "nowhere.yaml")
    with refused(where=("LIMR_SLURM_SITE", "nowhere.yaml"), what="no such file"):
        slurm_site.partition_file()


SITE = "slurm/site.yaml"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "partition: {cpu: {}}",
            {"where": (SITE, "partition"), "what": "unknown key", "advice": "Did you mean 'partitions'?"},
        ),
        (
            "- cpu",
            {"where": SITE, "found": '["cpu"]', "expected": "the keys partitions, default-resources, set-resources"},
        ),
        ("partitions: cpu", {"where": (SITE, "partitions"), "found": '"cpu"', "expected": "a section"}),
        (
            "set-resources: {train: 7}",
            {"where": (SITE, "set-resources.train"), "found": "7", "expected": "resources"},
        ),
        ("set-resources: [", {"where": SITE, "what": "cannot be read as YAML"}),
        (
            "partitions: {cpu: {max_runtme: 9}}",
            {
                "where": (SITE, "partitions.cpu", "max_runtme"),
                "what": "unknown limit",
                "advice": "Did you mean 'max_runtime'?",
            },
        ),
        ("partitions: {cpu: }", {"where": (SITE, "partitions.cpu"), "found": "null", "expected": "limits"}),
    ],
)
def test_a_mistake_is_reported_with_its_place(file: Path, text: str, parts: dict) -> None:
    file.write_text(text, encoding="utf-8")
    with refused(**parts):
        (slurm_site.partition_file(), slurm_site.set_resources())


def test_modules_that_every_start_of_snakemake_imports_load_no_large_library() -> None:
    heavy = {"numpy", "polars", "pyarrow", "torch", "matplotlib", "msgspec"}
    modules = "limr.jobs.slurm_site, limr.jobs.slurm_runs, limr.jobs.gpu_slots, limr.jobs.resources"
    code = f"import sys, {modules}; sys.exit(', '.join({heavy} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
