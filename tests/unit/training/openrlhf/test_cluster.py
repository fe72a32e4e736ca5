"""The nodes on which Ray starts, with fake SLURM commands. ``make test-slurm`` uses the real commands."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from refusals import refused
from slurm_commands import pretend

from limr.training.openrlhf.cluster import join, leave, nodes_to_join, own_address, ray_cluster, require_all


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Job 12, on four nodes; this process runs on the second of them."""
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    monkeypatch.setenv("SLURMD_NODENAME", "gpu08")
    pretend(tmp_path, monkeypatch, "squeue", '[ "$2" = --jobs=12 ] && echo "gpu[07-10]"')
    hosts = '[ "$*" = "show hostnames gpu[07-10]" ] && printf "gpu07\\ngpu08\\ngpu09\\ngpu10\\n"'
    node = '[ "$*" = "show node gpu07 --oneliner" ] && echo "NodeName=gpu07 NodeAddr=127.0.0.1 NodeHostName=elsewhere"'
    pretend(tmp_path, monkeypatch, "scontrol", f"{hosts} || {{ {node}; }}")
    return "12"


def test_ray_starts_on_the_other_nodes_of_the_job(job: str) -> None:
    assert nodes_to_join(3) == ["gpu07", "gpu09", "gpu10"]
    assert nodes_to_join(1) == ["gpu07"]


def test_a_job_with_fewer_nodes_than_configured_is_refused(job: str) -> None:
    with refused(where="SLURM job 12", found="4 nodes", expected="training.nodes, 5", advice="slurm/site.yaml"):
        nodes_to_join(4)


@pytest.mark.parametrize(("here", "found"), [(None, "nothing"), ("login1", "login1")])
def test_outside_the_nodes_of_the_job_nothing_starts(
    job: str, monkeypatch: pytest.MonkeyPatch, here: str | None, found: str
) -> None:
    """The shell of salloc runs on the login node, and Ray on a node of the job would count only that node's GPUs."""
    monkeypatch.delenv("SLURMD_NODENAME")
    if here:
        monkeypatch.setenv("SLURMD_NODENAME", here)
    expected = "a node of SLURM job 12, gpu07, gpu08, gpu09, gpu10"
    with refused(where="SLURMD_NODENAME", found=found, expected=expected):
        nodes_to_join(1)


def test_a_job_that_has_ended_has_no_nodes(job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(tmp_path, monkeypatch, "squeue", "true")
    with refused(where="SLURM job 12", what="no nodes"):
        nodes_to_join(1)


def test_outside_slurm_only_one_node_is_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    with refused(
        where="training.nodes", what="not running inside a SLURM job", found="2", expected="1", advice="RAY_ADDRESS"
    ):
        nodes_to_join(1)


def test_the_head_uses_its_address_in_the_network_of_slurm(job: str) -> None:
    assert own_address("gpu07") == "127.0.0.1"


def test_an_address_without_a_route_is_named(job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(tmp_path, monkeypatch, "scontrol", "echo NodeAddr=no-such-host.invalid")
    with refused(where="node gpu09", what="no route to its address, no-such-host.invalid", advice="staff"):
        own_address("gpu09")


def test_two_nodes_join_one_cluster_with_files_in_a_folder_of_this_user(
    job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In /tmp/ray, `ray start` fails if a file there belongs to another user."""
    options, calls = {}, tmp_path / "calls"
    pretend(tmp_path, monkeypatch, "srun", f'env >> {calls}; echo "$@" >> {calls}; exec sleep 60')
    monkeypatch.setenv("SLURM_MEM_PER_CPU", "4000")
    monkeypatch.setenv("NCCL_IB_HCA", "mlx5")
    ray = SimpleNamespace(
        init=lambda **given: options.update(given),
        get_runtime_context=lambda: SimpleNamespace(gcs_address="127.0.0.1:6379"),
        cluster_resources=lambda: {"GPU": 8.0 + 8.0 * (calls.exists() and "--overlap" in calls.read_text())},
        shutdown=lambda: None,
    )
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with ray_cluster(nodes=2, gpus_per_node=8, environment={}):
        lines = calls.read_text(encoding="utf-8").splitlines()  # srun's environment, and its arguments
    assert options["address"] == "local" and options["_node_ip_address"] == "127.0.0.1"
    assert options["_temp_dir"] == f"{tmp_path}/ray-{os.getuid()}"
    assert {"--overlap", "--nodelist=gpu07", "--gres=gpu:8", "--mem=0", "--mpi=none"} <= set(
        lines[-1].split(" env ")[0].split()
    )
    assert {"SLURM_JOB_ID=12", "NCCL_IB_HCA=mlx5"} <= set(lines)
    assert "SLURM_MEM_PER_CPU=4000" not in lines, "srun would read it as an option of the step"


def test_if_ray_has_ended_on_one_node_an_error_is_raised_and_the_other_nodes_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(tmp_path, monkeypatch, "srun", "exec sleep 60")
    running = join("gpu07", "10.0.0.8:6379", gpus=8)
    (tmp_path / "another").mkdir()
    pretend(tmp_path / "another", monkeypatch, "srun", "exit 3")
    ended = join("gpu09", "10.0.0.8:6379", gpus=8)
    ended.step.wait()
    require_all([running])
    with refused(what="Ray on node gpu09 ended with status 3", advice="the same Python environment"):
        require_all([running, ended])
    leave([running, ended])
    assert running.step.poll() == -15
