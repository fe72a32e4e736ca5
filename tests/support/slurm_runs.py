"""Runs on the cluster, started as a user starts them, and observations of them while jobs die."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from cluster import Cluster
from workplace import ROOT, Workplace, new_workplace

SITE = """\
partitions:
  cpu: {max_runtime: 1440}
  gpu: {max_runtime: 1440, max_gpu: 8}
"""
# shorter waits than on a shared cluster
IMPATIENT = ("--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "10", "--slurm-keep-successful-logs")
SECONDS = 300
STEPS = 600  # of the one long run


class OnSlurm(Workplace):
    """A workplace with jobs on the cluster. Like a clone of the repository, it has the profile and a site file."""

    def __init__(self, folder: Path, site: str = SITE) -> None:
        super().__init__(folder)
        shutil.copytree(ROOT / "slurm", folder / "slurm", ignore=shutil.ignore_patterns("site.yaml"))
        (folder / "slurm" / "site.yaml").write_text(site, encoding="utf-8")

    def command(self, *arguments: str) -> list[str]:
        snakefile = str(ROOT / "Snakefile")
        return [
            sys.executable,
            "-m",
            "snakemake",
            "--snakefile",
            snakefile,
            "--profile",
            "slurm",
            *IMPATIENT,
            *arguments,
        ]

    def job_logs(self, rule: str) -> list[str]:
        """The logs of the jobs of ``rule``, in the order of their ids."""
        files = (self.folder / ".snakemake" / "slurm_logs" / f"rule_{rule}").rglob("*.log")
        return [file.read_text(encoding="utf-8") for file in sorted(files, key=lambda file: int(file.stem))]


class OneMethod(OnSlurm):
    """A run of the method FULL alone. The stages before training are finished."""

    @classmethod
    def finished(cls, folder: Path) -> Workplace:
        place = new_workplace(folder)
        place.configure(_one_long_method)
        place.make("results/table2.md")
        return place

    @classmethod
    def before_training(cls, finished: Workplace, folder: Path, site: str = SITE) -> "OneMethod":
        finished.copy(folder)
        for made in ("runs", "evaluation/full", "trajectories", "work", "table2.md"):
            path = folder / "results" / made
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        shutil.rmtree(folder / ".snakemake" / "incomplete", ignore_errors=True)
        return cls(folder, site)

    @contextmanager
    def running(self) -> Iterator["subprocess.Popen[bytes]"]:
        """Snakemake, making the table; it is killed at the end if it still runs."""
        with (self.folder / "run.log").open("ab") as log:
            run = subprocess.Popen(
                self.command("results/table2.md"), cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
            try:
                yield run
            finally:
                if run.poll() is None:
                    os.killpg(run.pid, signal.SIGKILL)
                run.wait()

    @property
    def output(self) -> str:
        return (self.folder / "run.log").read_text(encoding="utf-8")

    def steps_saved(self) -> int:
        """Number of steps that a resumed training does not repeat."""
        state = self.results / "work" / "full-seed0" / "state.pt"
        return torch.load(state, weights_only=True)["steps"] if state.exists() else 0

    def wait_for_a_checkpoint(self) -> None:
        wait_until(lambda: self.steps_saved() > 0, lambda: self.output)

    def resumed_at(self) -> list[int]:
        """The steps at which the training jobs resumed; 0 if they started from the beginning."""
        logs = [log for log in self.job_logs("train") if "training on" in log]
        found = [re.findall(r"resuming at step (\d+) of", log) or ["0"] for log in logs]
        return [int(step) for steps in found for step in steps]


def _one_long_method(configuration: dict[str, Any]) -> None:
    configuration["methods"] = {"full": configuration["methods"]["full"]}
    configuration["training"] |= {"steps": STEPS, "checkpoint_interval": 20, "evaluation_interval": 200}


def wait_until(ready: Callable[[], bool], explain: Callable[[], str], seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.1)


class Watch:
    """Watches the queue and counts the jobs that train at once."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster, self._end = cluster, threading.Event()
        self._thread = threading.Thread(target=self._poll)
        self.most_at_once = 0
        self.jobs: set[str] = set()

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _poll(self) -> None:
        while not self._end.wait(0.5):
            training = training_jobs(self._cluster)
            self.jobs.update(training)
            self.most_at_once = max(self.most_at_once, len(training))


def training_jobs(cluster: Cluster) -> list[str]:
    """Ids of the running training jobs."""
    return [job["id"] for job in cluster.jobs("running") if job["comment"].startswith("rule_train")]
