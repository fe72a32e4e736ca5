"""A training run that fails ends with a clear error within a minute, leaves no process and loses no rollout.

The minute begins when the fault occurs. On two shared cores, two minutes are allowed.
"""

import os
import re
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from openrlhf_runs import PATIENCE, Run, World, left_running

from limr.training.openrlhf.records import read

TIME_LIMIT = 120.0  # seconds


def failure(process) -> tuple[str, float]:
    """The last line of a run that must fail, and the seconds until its end."""
    started = time.monotonic()
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1, output
    assert "Traceback" not in output
    return output.strip().splitlines()[-1], time.monotonic() - started


@contextmanager
def listening(port: int = 0) -> Iterator[int]:
    """A port where a program other than Ray listens; any free port if ``port`` is 0."""
    with socket.socket() as server:
        with suppress(OSError):  # if another program listens there, no listener is needed
            server.bind(("127.0.0.1", port))
        server.listen()
        yield server.getsockname()[1]


def test_without_a_gpu_the_error_names_the_number_of_gpus(world: World, tmp_path: Path) -> None:
    message, seconds = failure(world.start(Run(tmp_path), gpus=0))
    assert (
        f"found 0 GPUs in the Ray cluster ({socket.gethostname()}: 0), expected training.nodes x "
        "training.gpus_per_node, 1"
    ) in message
    assert seconds < TIME_LIMIT and not left_running(tmp_path)


def test_with_too_few_gpus_and_ports_in_use_the_error_names_the_number_of_gpus(world: World, tmp_path: Path) -> None:
    with listening(6379), listening(8265), listening(10001):  # Ray's default ports
        message, seconds = failure(world.start(Run(tmp_path), gpus=1, gpus_per_node=2, train_micro_batch_size=2))
    assert re.search(r"found 1 GPU in the Ray cluster \(\S+: 1\), expected .*gpus_per_node, 2", message), message
    assert seconds < TIME_LIMIT


def test_another_cluster_on_this_machine_is_not_joined(world: World, tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="r") as folder:  # a short name, because it holds sockets
        current = Path(folder, "ray", "ray_current_cluster")  # `ray start` writes it for others to join
        current.parent.mkdir()
        current.write_text("127.0.0.1:1", encoding="ascii")
        message, _ = failure(world.start(Run(tmp_path), gpus=0, variables={"RAY_TMPDIR": folder}))
    assert "found 0 GPUs in the Ray cluster (" in message


def test_several_nodes_without_slurm_or_a_cluster_are_refused(world: World, tmp_path: Path) -> None:
    message, _ = failure(world.start(Run(tmp_path), nodes=2))
    assert "training.nodes: not running inside a SLURM job, found 2, expected 1." in message
    assert "RAY_ADDRESS=HOST:PORT" in message


def test_an_address_without_ray_is_named(world: World, tmp_path: Path) -> None:
    with listening() as port:
        message, seconds = failure(world.start(Run(tmp_path), variables={"RAY_ADDRESS": f"127.0.0.1:{port}"}))
    assert f"Ray cannot be joined at RAY_ADDRESS=127.0.0.1:{port}" in message
    assert seconds < TIME_LIMIT


def test_a_missing_model_is_named(world: World, tmp_path: Path) -> None:
    empty = World(shutil.copytree(world.folder, tmp_path / "world"), world.settings)
    shutil.rmtree(empty.folder / "model")
    message, seconds = failure(empty.start(Run(tmp_path)))
    assert f"{empty.folder / 'model'}: no config.json, expected a Hugging Face model directory" in message
    assert seconds < TIME_LIMIT


def test_a_too_long_prompt_is_named_and_not_cut(world: World, tmp_path: Path) -> None:
    message, _ = failure(world.start(Run(tmp_path), max_prompt_tokens=5))
    assert "training.max_prompt_tokens: 6 of 6 development prompts are too long, found " in message
    assert ", expected at most 5. " in message


@pytest.mark.parametrize("worker", ["RolloutRayActor", "PolicyModelActor"])
def test_a_worker_that_dies_ends_the_run_and_its_rollouts_are_kept(world: World, tmp_path: Path, worker: str) -> None:
    run = Run(tmp_path)
    process = world.start(run, steps=400)
    found = run.wait_for(rf"\({worker} pid=(\d+)\)", process)
    run.wait_for(r"Global step 3:[\s\S]*update weight", process)  # then other workers wait for it
    os.kill(int(found[1]), signal.SIGKILL)
    message, seconds = failure(process)
    assert seconds < TIME_LIMIT and not left_running(run.work)
    # either OpenRLHF reports it, or OpenRLHF waits for the dead worker and the engine reports it
    by_openrlhf = rf"ray\.exceptions\.ActorDiedError: .* \({worker}\)"
    died = rf"OpenRLHF stopped: ({by_openrlhf}|LimrError: a worker has died: .*{worker})"
    assert re.search(died, message), message
    assert f"kept in {run.work / 'records' / 'attempt_0000'}" in message
    assert re.search(r"resumes from the last checkpoint, step [24]\d? of 400", message)
    for step in (0, 1, 2):
        assert len(read(run.work / "records" / "attempt_0000" / f"step_{step:06d}").rows) == 16


def test_an_error_while_recording_ends_the_run_and_is_named(world: World, tmp_path: Path) -> None:
    run = Run(tmp_path)
    process = world.start(run)
    blocking = run.work / "records" / "attempt_0000" / "step_000003"
    while not blocking.parent.exists():
        assert process.poll() is None
        time.sleep(0.1)
    blocking.write_text("not a folder", encoding="ascii")
    message, _ = failure(process)
    assert "OpenRLHF stopped: FileExistsError: " in message and "step_000003" in message, message
    assert len(read(run.work / "records" / "attempt_0000" / "step_000002").rows) == 16
    assert not left_running(run.work)


def test_an_error_in_the_reward_ends_the_run_and_is_named(world: World, tmp_path: Path) -> None:
    message, _ = failure(world.start(Run(tmp_path), reward_rule="none"))
    assert "OpenRLHF stopped: limr.errors.LimrError: reward rule: found 'none'" in message, message
