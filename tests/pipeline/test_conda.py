"""``snakemake --sdm conda``: every stage runs in an environment that Snakemake creates from ``envs/`` alone.

A stand-in for conda creates the environments with pip, which takes minutes: only ``make test-conda`` runs this.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from places import ROOT, SUPPORT
from workplace import Workplace, new_workplace

pytestmark = pytest.mark.skipif(not os.environ.get("LIMR_TEST_CONDA"), reason="takes minutes: make test-conda")

CONDA = SUPPORT / "conda_stand_in" / "bin"


class WithConda(Workplace):
    """A workplace where Snakemake runs in an environment without limr and calls the stand-in for conda."""

    timeout = 1800

    def command(self, *arguments: str) -> list[str]:
        python, *rest = super().command("--sdm", "conda", *arguments)
        path = f"{self.environment / 'bin'}:{CONDA}:{os.environ['PATH']}"
        return ["env", "--unset=PYTHONPATH", f"PATH={path}", str(self.environment / "bin" / Path(python).name), *rest]

    @property
    def environment(self) -> Path:
        return self.folder.parent / "snakemake"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> WithConda:
    """A finished run with its environments. Snakemake itself runs in that of ``envs/snakemake.yaml``."""
    folder = tmp_path_factory.mktemp("conda")
    (folder / "place").mkdir()
    place = WithConda(new_workplace(folder / "place").folder)
    create = [CONDA / "conda", "env", "create", "--file", ROOT / "envs" / "snakemake.yaml", "--prefix"]
    # the stand-in needs an interpreter that has PyYAML
    subprocess.run([sys.executable, *create, place.environment], check=True)
    place.make("--conda-create-envs-only")
    place.make()
    return place


def packages(environment: Path) -> set[str]:
    """Names of the packages in ``environment``."""
    folders = (environment / "lib").glob("python*/site-packages/*.dist-info")
    return {folder.name.partition("-")[0].lower() for folder in folders}


def test_the_table_is_the_same_as_without_conda(place: WithConda, finished: Workplace) -> None:
    for table in ("table2.md", "table2.csv", "table2.json"):
        assert (place.results / table).read_bytes() == (finished.results / table).read_bytes()
    assert "Nothing to be done" in place.make()


def test_each_stage_has_its_own_environment_and_only_training_has_torch(place: WithConda) -> None:
    created = {}
    for file in (place.folder / ".snakemake" / "conda").glob("*.yaml"):
        created[yaml.safe_load(file.read_text(encoding="utf-8"))["name"]] = packages(file.with_suffix(""))
    assert set(created) == {"limr-selection", "limr-training"}
    assert {name for name, installed in created.items() if "torch" in installed} == {"limr-training"}
    assert "polars" in created["limr-selection"]
    assert not {"torch", "limr", "matplotlib"} & packages(place.environment), "a stage could find them here instead"
