"""Configuration files and folders with unusual content or names, through `snakemake` itself.

The tests show that the workflow makes each kind of check; tests/unit/configuration has all that a check refuses.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pytest import CaptureFixture
from workplace import ROOT, Workplace, new_workplace

from limr.cli.main import main

DEFAULT = (ROOT / "config.yaml").read_text(encoding="utf-8")
TWICE = "seeds: [1]\nseeds: [2]\n"


def refused_by_snakemake(folder: Path, *arguments: str) -> str:
    """What a dry run prints that ends with an error and without a traceback."""
    failed = Workplace(folder).snakemake("--dry-run", *arguments)
    assert failed.returncode != 0
    assert "Traceback" not in failed.stdout
    return failed.stdout


def test_results_in_the_place_of_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(DEFAULT.replace("results: results", "results: mine.yaml"), encoding="utf-8")
    output = refused_by_snakemake(tmp_path, "--configfile", "mine.yaml")
    assert "mine.yaml: this is no folder" in output


def test_a_key_twice_in_the_configuration_of_the_working_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(TWICE, encoding="utf-8")
    output = refused_by_snakemake(tmp_path)
    assert "config.yaml: line 2: seeds: this key occurs twice in its section" in output


def test_a_key_twice_in_a_file_that_is_laid_over_another_is_refused(tmp_path: Path) -> None:
    (tmp_path / "over.yaml").write_text(TWICE, encoding="utf-8")
    output = refused_by_snakemake(tmp_path, "--configfile", str(ROOT / "config.yaml"), "over.yaml", "--", "all")
    assert "over.yaml: line 2: seeds: this key occurs twice in its section. The first one is in line 1" in output


def test_the_pre_flight_command_checks_the_text_of_the_files_too(tmp_path: Path, capsys: CaptureFixture) -> None:
    (tmp_path / "over.yaml").write_text(TWICE, encoding="utf-8")
    assert main(["preflight", str(ROOT / "config" / "paper.yaml"), str(tmp_path / "over.yaml")]) == 1
    assert f"{tmp_path / 'over.yaml'}: line 2: seeds: this key occurs twice" in capsys.readouterr().err


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


@pytest.mark.parametrize("clone", ["a 'quoted' Übung $HOME; [1] *"], indirect=True)
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
