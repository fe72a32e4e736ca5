"""A folder in which tests run the repository's Snakefile as a user does."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import yaml
from places import ROOT

TEST_CONFIGURATION = ROOT / "config" / "pipeline_test.yaml"


@dataclass(frozen=True)
class Workplace:
    """A folder with its own ``config.yaml``, in which the repository's Snakefile runs."""

    folder: Path
    timeout: ClassVar[int] = 600  # seconds

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def configure(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the configuration in place."""
        file = self.folder / "config.yaml"
        configuration = yaml.safe_load(file.read_text(encoding="utf-8"))
        change(configuration)
        file.write_text(yaml.safe_dump(configuration, sort_keys=False), encoding="utf-8")

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2", *arguments]

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake; ``stdout`` of the result holds its output and that of its jobs, in the order of writing."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=self.timeout,
            check=False,
        )

    def make(self, *arguments: str) -> str:
        """Run Snakemake, which must succeed, and return its output."""
        done = self.snakemake(*arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def plan(self, *arguments: str) -> dict[str, int]:
        """The number of jobs that Snakemake would run, by rule."""
        output = self.make("--quiet", "rules", "--dry-run", *arguments)
        return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", output, re.MULTILINE)}

    def copy(self, folder: Path) -> "Workplace":
        # copytree keeps the modification times; otherwise Snakemake would rerun everything
        shutil.copytree(self.folder, folder, symlinks=True)
        return Workplace(folder)


def new_workplace(folder: Path) -> Workplace:
    shutil.copy(TEST_CONFIGURATION, folder / "config.yaml")
    return Workplace(folder)
