"""What goes wrong with a training run: a clear error within a minute, nothing left running, nothing lost.

The minute is counted from where things go wrong; on two cores that others use too, it is allowed to be two.
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

MINUTES = 120.0


def failure(process) -> tuple[str, float]:
    """What a run that must fail says, and after how many seconds."""
    started = time.monotonic()
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1, output
    assert "Traceback" not in output
    return output.strip().splitlines()[-1], time.monotonic() - started


@contextmanager
def listening(port: int = 0) -> Iterator[int]:
    """A port where something listens that is not Ray; any free one where ``port`` is 0."""
    with socket.socket() as server:
        with suppress(OSError):  # somebody else's is as good
            server.bind(("127.0.0.1", port))
        server.listen()
        yield server.getsockname()[1]


def test_without_a_gpu_the_run_says_so(world: World, tmp_path: Path) -> None:
    message, seconds = failure(world.start(Run(tmp_path), gpus=0))
    assert (
        f"found 0 GPUs in the Ray cluster ({socket.gethostname()}: 0), expected training.nodes x "
        "training.gpus_per_node, 1"
    ) in message
    assert seconds < MINUTES and not left_running(tmp_path)


def test_with_too_few_gpus_the_run_says_how_many_there_are_whatever_ports_are_in_use(
    world: World, tmp_path: Path
) -> None:
    with listening(6379), listening(8265), listening(10001):  # those that Ray takes where nothing else is said
        message, seconds = failure(world.start(Run(tmp_path), gpus=1, gpus_per_node=2, train_micro_batch_size=2))
    assert re.search(r"found 1 GPUs in the Ray cluster \(\S+: 1\), expected .*gpus_per_node, 2", message), message
    assert seconds < MINUTES


def test_a_cluster_that_somebody_else_has_started_here_is_not_joined(world: World, tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="r") as folder:  # a short name: sockets lie in it
        noted = Path(folder, "ray", "ray_current_cluster")  # where `ray start` notes it for others to join
        noted.parent.mkdir()
        noted.write_text("127.0.0.1:1", encoding="ascii")
        message, _ = failure(world.start(Run(tmp_path), gpus=0, variables={"RAY_TMPDIR": folder}))
    assert "found 0 GPUs in the Ray cluster (" in message


def test_several_nodes_without_slurm_or_a_cluster_are_refused(world: World, tmp_path: Path) -> None:
    message, _ = failure(world.start(Run(tmp_path), nodes=2))
    assert "training.nodes is 2, and this is no job of SLURM" in message and "RAY_ADDRESS=HOST:PORT" in message


def test_an_address_where_no_ray_is_is_named(world: World, tmp_path: Path) -> None:
    with listening() as port:
        message, seconds = failure(world.start(Run(tmp_path), variables={"RAY_ADDRESS": f"127.0.0.1:{port}"}))
    assert f"Ray cannot be joined at RAY_ADDRESS=127.0.0.1:{port}" in message
    assert seconds < MINUTES


def test_a_model_that_is_not_there_is_named(world: World, tmp_path: Path) -> None:
    empty = World(shutil.copytree(world.folder, tmp_path / "world"), world.settings)
    shutil.rmtree(empty.folder / "model")
    message, seconds = failure(empty.start(Run(tmp_path)))
    assert f"{empty.folder / 'model'}: no config.json; expected a Hugging Face model directory" in message
    assert seconds < MINUTES


def test_a_prompt_that_is_too_long_is_named_and_not_cut(world: World, tmp_path: Path) -> None:
    message, _ = failure(world.start(Run(tmp_path), max_prompt_tokens=5))
    assert "6 of 6 development prompts have more than training.max_prompt_tokens, 5, tokens; the longest, " in message


@pytest.mark.parametrize("worker", ["RolloutRayActor", "PolicyModelActor"])
def test_a_worker_that_dies_ends_the_run_and_its_rollouts_are_kept(world: World, tmp_path: Path, worker: str) -> None:
    run = Run(tmp_path)
    process = world.start(run, steps=400)
    found = run.wait_for(rf"\({worker} pid=(\d+)\)", process)
    run.wait_for(r"Global step 3:[\s\S]*update weight", process)  # others wait for it just then
    os.kill(int(found[1]), signal.SIGKILL)
    message, seconds = failure(process)
    assert seconds < MINUTES and not left_running(run.work)
    # OpenRLHF says so itself, or waits for the dead one, and the engine does
    by_itself = rf"ray\.exceptions\.ActorDiedError: .* \({worker}\)"
    died = rf"OpenRLHF stopped: ({by_itself}|LimrError: a worker has died: .*{worker})"
    assert re.search(died, message), message
    assert f"kept in {run.work / 'records' / 'attempt_0000'}" in message
    assert re.search(r"goes on from the last checkpoint, step [24]\d? of 400", message)
    for step in (0, 1, 2):
        assert len(read(run.work / "records" / "attempt_0000" / f"step_{step:06d}").rows) == 16


def test_an_error_in_reward_or_record_ends_the_run_and_is_named(world: World, tmp_path: Path) -> None:
    run = Run(tmp_path)
    process = world.start(run)
    in_the_way = run.work / "records" / "attempt_0000" / "step_000003"
    while not in_the_way.parent.exists():
        assert process.poll() is None
        time.sleep(0.1)
    in_the_way.write_text("not a folder", encoding="ascii")
    message, _ = failure(process)
    assert "OpenRLHF stopped: FileExistsError: " in message and "step_000003" in message, message
    assert len(read(run.work / "records" / "attempt_0000" / "step_000002").rows) == 16
    assert not left_running(run.work)


def test_a_reward_that_raises_is_not_taken_for_a_reward(world: World, tmp_path: Path) -> None:
    message, _ = failure(world.start(Run(tmp_path), reward_rule="none"))
    assert "OpenRLHF stopped: limr.errors.LimrError: reward rule: found 'none'" in message, message
