"""Which nodes Ray is started on, from what stand-ins for SLURM's commands say; the real ones: ``make test-slurm``."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from slurm_commands import pretend

from limr.errors import LimrError
from limr.training.openrlhf.cluster import ray_cluster
from limr.training.openrlhf.nodes import join, leave, nodes_to_join, own_address, require_all


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Job 12, on four nodes, of which this process runs on the second by name."""
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    monkeypatch.setenv("SLURMD_NODENAME", "gpu08")
    pretend(tmp_path, monkeypatch, "squeue", '[ "$2" = --jobs=12 ] && echo "gpu[07-10]"')
    hosts = '[ "$*" = "show hostnames gpu[07-10]" ] && printf "gpu07\\ngpu08\\ngpu09\\ngpu10\\n"'
    node = '[ "$*" = "show node gpu07 --oneliner" ] && echo "NodeName=gpu07 NodeAddr=127.0.0.1 NodeHostName=elsewhere"'
    pretend(tmp_path, monkeypatch, "scontrol", f"{hosts} || {{ {node}; }}")
    return "12"


def test_ray_is_started_on_the_nodes_that_this_process_does_not_run_on(job: str) -> None:
    assert nodes_to_join(3) == ["gpu07", "gpu09", "gpu10"]
    assert nodes_to_join(1) == ["gpu07"]


def test_a_job_with_fewer_nodes_than_the_configuration_says_is_refused(job: str) -> None:
    with pytest.raises(LimrError, match=r"found 4 nodes in SLURM job 12, expected training\.nodes, 5\."):
        nodes_to_join(4)


@pytest.mark.parametrize(("here", "found"), [(None, "nothing"), ("login1", "login1")])
def test_on_a_machine_that_is_no_node_of_the_job_nothing_is_started(
    job: str, monkeypatch: pytest.MonkeyPatch, here: str | None, found: str
) -> None:
    """The shell of an salloc runs on the login node, and Ray on a job's node would count its GPUs alone."""
    monkeypatch.delenv("SLURMD_NODENAME")
    if here:
        monkeypatch.setenv("SLURMD_NODENAME", here)
    expected = f"SLURMD_NODENAME: found {found}, expected a node of SLURM job 12, gpu07, gpu08, gpu09, gpu10"
    with pytest.raises(LimrError, match=expected):
        nodes_to_join(1)


def test_a_job_that_has_ended_has_no_nodes(job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(tmp_path, monkeypatch, "squeue", "true")
    with pytest.raises(LimrError, match="SLURM job 12 has no nodes: it has ended"):
        nodes_to_join(1)


def test_outside_of_slurm_there_are_no_nodes_to_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    with pytest.raises(LimrError, match=r"training\.nodes is 2, and this is no job of SLURM.*RAY_ADDRESS"):
        nodes_to_join(1)


def test_the_head_s_address_is_that_of_the_network_in_which_slurm_reaches_the_others(job: str) -> None:
    assert own_address("gpu07") == "127.0.0.1"


def test_an_address_that_no_way_leads_to_is_named(job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(tmp_path, monkeypatch, "scontrol", "echo NodeAddr=no-such-host.invalid")
    with pytest.raises(LimrError, match=r"node gpu09: no way to its address, no-such-host\.invalid: "):
        own_address("gpu09")


def test_two_nodes_have_their_gpus_in_one_cluster_whose_files_are_this_user_s_own(
    job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in /tmp/ray, where `ray start` opens a file that may be another user's, and ends."""
    asked, calls = {}, tmp_path / "calls"
    pretend(tmp_path, monkeypatch, "srun", f'env >> {calls}; echo "$@" >> {calls}; exec sleep 60')
    monkeypatch.setenv("SLURM_MEM_PER_CPU", "4000")
    monkeypatch.setenv("NCCL_IB_HCA", "mlx5")
    ray = SimpleNamespace(
        init=lambda **options: asked.update(options),
        get_runtime_context=lambda: SimpleNamespace(gcs_address="127.0.0.1:6379"),
        cluster_resources=lambda: {"GPU": 8.0 + 8.0 * (calls.exists() and "--overlap" in calls.read_text())},
        shutdown=lambda: None,
    )
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with ray_cluster(nodes=2, gpus_per_node=8, environment={}):
        said = calls.read_text(encoding="utf-8").splitlines()
    assert asked["address"] == "local" and asked["_node_ip_address"] == "127.0.0.1"
    assert asked["_temp_dir"] == f"{tmp_path}/ray-{os.getuid()}"
    assert {"--overlap", "--nodelist=gpu07", "--gres=gpu:8", "--mem=0", "--mpi=none"} <= set(
        said[-1].split(" env ")[0].split()
    )
    assert {"SLURM_JOB_ID=12", "NCCL_IB_HCA=mlx5"} <= set(said)
    assert "SLURM_MEM_PER_CPU=4000" not in said, "srun would take it for an option of the step"


def test_ray_that_ends_on_a_node_is_missed_and_what_runs_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(tmp_path, monkeypatch, "srun", "exec sleep 60")
    running = join("gpu07", "10.0.0.8:6379", gpus=8)
    (tmp_path / "another").mkdir()
    pretend(tmp_path / "another", monkeypatch, "srun", "exit 3")
    ended = join("gpu09", "10.0.0.8:6379", gpus=8)
    ended.step.wait()
    require_all([running])
    with pytest.raises(LimrError, match="Ray on node gpu09 ended with status 3"):
        require_all([running, ended])
    leave([running, ended])
    assert running.step.poll() == -15
