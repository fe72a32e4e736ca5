"""Training on two nodes with pretended GPUs, with Ray and the real OpenRLHF, leaves no process behind."""

import json
import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
from cluster import Cluster
from openrlhf_runs import CONFIGURATION, environment
from places import SUPPORT
from slurm_runs import OnSlurm, training_jobs, wait_until
from workplace import ROOT

from limr.training.openrlhf.supervisor import MARK

PYTHON = ROOT / ".venv-openrlhf" / "bin" / "python"  # the environment of `make test-openrlhf`
HERE = SUPPORT
STEPS, BATCH, SAMPLES = 6, 8, 2


def launched(folder: Path) -> dict[str, str]:
    """Processes of a training in ``folder``: id -> mark, which ends with the node's name on the second node."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            variables = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        marks = [variable.decode() for variable in variables if variable.startswith(f"{MARK}=".encode())]
        if marks and any(str(folder).encode() in variable for variable in variables):
            found[process.name] = marks[-1].partition("=")[2]
    return found


@pytest.fixture(autouse=True)
def nothing_is_left(cluster: Cluster, tmp_path: Path) -> None:
    yield
    cluster.run("scancel", "--user=root")
    wait_until(lambda: not cluster.jobs("pending,running,completing"), lambda: str(cluster.jobs()), seconds=60)
    wait_until(lambda: not launched(tmp_path), lambda: str(launched(tmp_path)), seconds=30)


def ray_in_a_job(
    folder: Path, nodes: int, gpus: int, visible_gpus: int = 8, seconds: float = 60, hold: float = 0, limit: int = 10
) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run a job of two nodes with eight GPUs each, which starts Ray on ``nodes``; sbatch's process, and the log."""
    log = folder / "job.log"
    options = (
        "--wait",
        "--nodes=2",
        "--ntasks=2",
        "--gres=gpu:8",
        "--cpus-per-task=8",
        "--partition=gpu",
        f"--time={limit}",
    )
    program = f"exec {PYTHON} {HERE / 'ray_on_nodes.py'} {nodes} {gpus} {seconds} {hold}"
    done = subprocess.run(
        ["sbatch", *options, f"--output={log}", "--wrap", program],
        env=environment(visible_gpus, LIMR_RECORDS=str(folder)),
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    return done, log.read_text(encoding="utf-8")


def test_ray_sees_the_gpus_of_both_nodes_and_each_bundle_has_its_own_gpu(cluster: Cluster, tmp_path: Path) -> None:
    done, log = ray_in_a_job(tmp_path, nodes=2, gpus=8)
    assert done.returncode == 0, log
    bundles = json.loads(next(line for line in log.splitlines() if line.startswith("[[")))
    assert len(bundles) == 16
    by_node: dict[str, list[str]] = {}
    for node, (gpu,) in bundles:
        by_node.setdefault(node, []).append(gpu)
    assert [sorted(gpus) for gpus in by_node.values()] == [[str(gpu) for gpu in range(8)]] * 2


def test_missing_gpus_are_reported_by_node(cluster: Cluster, tmp_path: Path) -> None:
    done, log = ray_in_a_job(tmp_path, nodes=2, gpus=8, visible_gpus=5, seconds=10)
    assert done.returncode
    found = (
        r"LimrError: found 10 GPUs in the Ray cluster \(\S+: 5, \S+: 5\), expected .*, 16\. "
        r"Ray was also started on .* n2,"
    )
    assert re.search(found, log), log


def test_a_node_that_ray_does_not_start_on_is_named(cluster: Cluster, tmp_path: Path) -> None:
    done, log = ray_in_a_job(tmp_path, nodes=2, gpus=9, seconds=200)  # more than the job has
    assert done.returncode
    assert "LimrError: Ray on node n2 ended with status 1" in log
    assert "srun: error: " in log


def test_missing_nodes_are_reported(cluster: Cluster, tmp_path: Path) -> None:
    done, log = ray_in_a_job(tmp_path, nodes=3, gpus=8)
    assert done.returncode
    assert re.search(r"LimrError: SLURM job \d+: found 2 nodes, expected training\.nodes, 3\.", log), log


def test_a_job_that_hits_its_time_limit_leaves_nothing_on_either_node(cluster: Cluster, tmp_path: Path) -> None:
    done, _ = ray_in_a_job(tmp_path, nodes=2, gpus=1, hold=600, limit=1)
    # `sbatch --wait` may return while the job still completes, when the job has its state but no exit status yet.
    job = done.stdout.split()[-1]
    wait_until(lambda: job not in cluster.ids("running,completing"), lambda: str(cluster.jobs()), seconds=60)
    assert job in cluster.ids("timeout"), cluster.jobs()
    log = (tmp_path / "job.log").read_text(encoding="utf-8")
    assert "[[" in log and "DUE TO TIME LIMIT" in log, log


class TwoNodes(OnSlurm):
    """The pipeline of ``make test-openrlhf``, with training on one GPU of each of two nodes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder / "config.yaml").write_bytes(CONFIGURATION.read_bytes())
        self.configure(lambda configuration: configuration["training"].update(nodes=2))

    @contextmanager
    def running(self, *targets: str) -> Iterator["subprocess.Popen[bytes]"]:
        """Snakemake, making ``targets``; it is killed at the end if it still runs."""
        command = [str(PYTHON), *self.command(*targets)[1:]]
        with (self.folder / "run.log").open("ab") as log:
            run = subprocess.Popen(
                command, cwd=self.folder, stdout=log, stderr=log, env=environment(), start_new_session=True
            )
            try:
                yield run
            finally:
                if run.poll() is None:
                    os.killpg(run.pid, signal.SIGKILL)
                run.wait()

    def openrlhf_log(self, attempt: int) -> str:
        file = self.results / "work" / "full-seed0" / "logs" / f"attempt_{attempt:04d}.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def logs(self) -> str:
        output = (self.folder / "run.log").read_text(encoding="utf-8")
        return "\n".join([output[-3000:], *self.job_logs("train"), self.openrlhf_log(0)[-3000:]])

    def has_trained(self, step: int) -> bool:
        """Whether the first attempt, which must not have failed, has done ``step``."""
        assert not self.openrlhf_log(1), self.logs()
        return f"Global step {step}:" in self.openrlhf_log(0)


def test_a_cancelled_training_on_two_nodes_resumes_from_its_checkpoint_and_is_complete(
    cluster: Cluster, tmp_path: Path
) -> None:
    place = TwoNodes(tmp_path)
    with place.running("results/runs/full/seed0/metrics.parquet") as run:
        wait_until(lambda: place.has_trained(3), place.logs, seconds=600)
        marks = Counter(launched(tmp_path).values())
        (job,) = training_jobs(cluster)
        assert {row["nodes"] for row in cluster.jobs("running") if row["id"] == job} == {"n[1-2]"}
        cluster.run("scancel", job)
        wait_until(
            lambda: not set(launched(tmp_path).values()) & set(marks), lambda: str(launched(tmp_path)), seconds=60
        )
        assert run.wait(timeout=900) == 0, place.logs()
    (first,) = (mark for mark in marks if "@" not in mark)
    assert set(marks) == {first, f"{first}@n2"}
    assert min(marks.values()) >= 3, "Ray's own processes, and at least a worker of training and one of vLLM"
    rollouts = place.results / "runs" / "full" / "seed0" / "rollouts"
    audit = json.loads((rollouts / "audit.json").read_text(encoding="utf-8"))
    assert [attempt["first_step"] for attempt in audit["attempts"]] == [0, 2]
    assert audit["rollouts"] == pl.read_parquet(rollouts / "*.parquet").height == STEPS * BATCH * SAMPLES
    assert audit["incomplete_visits"] == audit["unexpected"] == 0
