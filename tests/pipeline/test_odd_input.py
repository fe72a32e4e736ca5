"""Configuration files and folders with unusual content or names, through `snakemake` itself: refused with the key."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest import CaptureFixture
from workplace import ROOT, Workplace, new_workplace

from limr.cli.main import main

MINE = "mine.yaml"
DEFAULT = (ROOT / "config.yaml").read_text(encoding="utf-8")


def dry_run(folder: Path, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / MINE).write_text(text, encoding="utf-8")
    return Workplace(folder).snakemake("--dry-run", "--configfile", MINE, *arguments)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  steps: 160\n", "  steps: 160\n  steps: 3\n", "training.steps: this key occurs twice in its section"),
        ("clip: 0.2", "clip: .nan", "training.clip: found NaN, expected a finite number"),
        ("results: results", "results: mine.yaml", "mine.yaml: this is no folder"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_its_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    """One value of each kind of check; tests/unit/configuration has the others."""
    assert old in DEFAULT
    failed = dry_run(tmp_path, DEFAULT.replace(old, new, 1))
    assert failed.returncode != 0
    assert message in failed.stdout
    assert "Traceback" not in failed.stdout


def test_the_configuration_of_the_working_folder_is_checked_too(tmp_path: Path) -> None:
    for content, message in (
        (DEFAULT.encode() + b"seeds: [3]\n", "config.yaml: line 89: seeds: this key occurs twice"),
        (b"", "config.yaml: found nothing, expected a configuration"),
        (b"- 1\n", "config.yaml: found a list, expected a configuration"),
        (b"\xff\xfe", "config.yaml: not text in UTF-8"),
    ):
        (tmp_path / "config.yaml").write_bytes(content)
        failed = Workplace(tmp_path).snakemake("--dry-run")
        assert failed.returncode != 0
        assert message in failed.stdout, failed.stdout
        assert "Traceback" not in failed.stdout


def test_a_key_twice_in_a_file_that_is_laid_over_another_is_refused(tmp_path: Path) -> None:
    (tmp_path / "over.yaml").write_text("seeds: [1]\nseeds: [2]\n", encoding="utf-8")
    failed = dry_run(tmp_path, DEFAULT, "over.yaml", "--", "all")
    assert failed.returncode != 0
    assert "over.yaml: line 2: seeds: this key occurs twice in its section. The first one is in line 1" in failed.stdout


def test_the_pre_flight_command_checks_the_text_of_the_files_too(tmp_path: Path, capsys: CaptureFixture) -> None:
    (tmp_path / MINE).write_text("seeds: [1]\nseeds: [2]\n", encoding="utf-8")
    assert main(["preflight", str(ROOT / "config" / "paper.yaml"), str(tmp_path / MINE)]) == 1
    assert f"{tmp_path / MINE}: line 2: seeds: this key occurs twice" in capsys.readouterr().err


def test_anchors_and_merges_are_read(tmp_path: Path) -> None:
    text = DEFAULT.replace("keep: {share: 0.163}", "keep: &keep {share: 0.163}", 1)
    text = text.replace("lim: {score: lim, keep: {share: 0.163}}", "lim: {<<: {score: rand}, score: lim, keep: *keep}")
    done = dry_run(tmp_path, text)
    assert done.returncode == 0, done.stdout
    assert "score_lim" in done.stdout


@pytest.fixture
def clone(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path / str(request.param)
    folder.mkdir()
    for name in ("Snakefile", "rules", "limr", "workflow", "profiles", "envs"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    return folder


def in_clone(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    new_workplace(clone)
    snakemake = [part for part in Workplace(clone).command(*arguments) if part != str(ROOT / "Snakefile")]
    snakemake.remove("--snakefile")
    environment: dict[str, Any] = os.environ | {"PYTHONPATH": str(clone)}
    return subprocess.run(
        snakemake, cwd=clone, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


@pytest.mark.parametrize("clone", ["a 'quoted' folder", "Übung $HOME; [1] *"], indirect=True)
def test_the_workflow_runs_in_a_folder_with_an_unusual_name(clone: Path) -> None:
    done = in_clone(clone, "results/data/train.parquet")
    assert done.returncode == 0, done.stdout
    assert (clone / "results" / "data" / "train.parquet").exists()


@pytest.mark.parametrize("clone", ["a{seed}"], indirect=True)
def test_a_clone_in_a_folder_named_with_braces_is_refused(clone: Path) -> None:
    failed = in_clone(clone, "--dry-run")
    assert failed.returncode != 0
    assert f"{clone}: found a clone in a folder with braces in its path, expected a path without" in failed.stdout
    assert "Traceback" not in failed.stdout


def test_every_shipped_experiment_is_planned(tmp_path: Path) -> None:
    """The files laid over config.yaml are tested in test_configurations.py."""
    for name in ("pipeline_test", "openrlhf_test"):
        configuration = yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text(encoding="utf-8"))
        done = dry_run(tmp_path, yaml.safe_dump(configuration, sort_keys=False))
        assert done.returncode == 0, done.stdout
