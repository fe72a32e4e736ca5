"""Jobs and snakemake die on a real SLURM: no two jobs train at once, and no saved work is repeated."""

import json
import os
import signal
from pathlib import Path

import pytest
from cluster import Cluster
from slurm_runs import SITE, STEPS, OneMethod, Watch, training_jobs, wait_until
from workplace import Workplace


def assert_same_table(place: OneMethod, expected: Workplace) -> None:
    assert (place.results / "table2.md").read_bytes() == (expected.results / "table2.md").read_bytes()


def assert_resumed(place: OneMethod, watch: Watch, saved: int) -> None:
    """Jobs trained one after the other, and each resumed at the last checkpoint of the one before.

    On a busy machine, training may take more than two jobs of one minute.
    """
    first, *later = place.resumed_at()
    assert first == 0
    assert later and later == sorted(later)
    assert later[0] >= saved > 0
    assert watch.most_at_once == 1


def test_a_cancelled_job_is_submitted_again_and_resumes(
    cluster: Cluster, one_method: Workplace, tmp_path: Path
) -> None:
    place = OneMethod.before_training(one_method, tmp_path / "place")
    with Watch(cluster) as watch, place.running() as run:
        place.wait_for_a_checkpoint()
        saved = place.steps_saved()
        cluster.run("scancel", *training_jobs(cluster))
        assert run.wait(timeout=300) == 0, place.output
    assert "Ended by SIGTERM" in place.job_logs("train")[0]
    assert_resumed(place, watch, saved)
    assert_same_table(place, one_method)


def test_a_preempted_job_is_restarted_by_slurm_and_resumes(
    cluster: Cluster, one_method: Workplace, tmp_path: Path
) -> None:
    place = OneMethod.before_training(one_method, tmp_path / "place")
    with Watch(cluster) as watch, place.running() as run:
        place.wait_for_a_checkpoint()
        saved = place.steps_saved()
        (job,) = training_jobs(cluster)
        cluster.run("scontrol", "requeue", job)
        assert run.wait(timeout=400) == 0, place.output
    assert watch.jobs == {job}
    assert watch.most_at_once == 1
    assert place.resumed_at()[-1] >= saved > 0
    assert_same_table(place, one_method)


def test_training_that_hits_the_time_limit_resumes_in_the_next_job(
    cluster: Cluster, one_method: Workplace, tmp_path: Path
) -> None:
    place = OneMethod.before_training(one_method, tmp_path / "place", SITE + "set-resources:\n  train: {runtime: 1}\n")
    with Watch(cluster) as watch, place.running() as run:
        place.wait_for_a_checkpoint()
        lock = place.results / "logs" / "train" / "full-seed0.log.lock"
        # stopped, because training takes less than the shortest limit, a minute
        os.kill(json.loads(lock.read_text(encoding="utf-8"))["process"], signal.SIGSTOP)
        saved = place.steps_saved()
        assert run.wait(timeout=400) == 0, place.output
    assert "DUE TO TIME LIMIT" in place.job_logs("train")[0]
    assert_resumed(place, watch, saved)
    assert_same_table(place, one_method)


def test_a_job_whose_node_fails_resumes_on_another_node(
    cluster: Cluster, one_method: Workplace, tmp_path: Path
) -> None:
    place = OneMethod.before_training(one_method, tmp_path / "place")
    with Watch(cluster) as watch, place.running() as run:
        place.wait_for_a_checkpoint()
        (job,) = training_jobs(cluster)
        node = next(row["nodes"] for row in cluster.jobs("running") if row["id"] == job)
        cluster.kill_node(node)
        saved = place.steps_saved()
        try:
            assert run.wait(timeout=500) == 0, place.output
        finally:
            cluster.start_node(node)
    assert watch.most_at_once == 1
    assert place.resumed_at()[-1] >= saved > 0
    assert_same_table(place, one_method)


def test_a_killed_snakemake_leaves_a_job_that_the_next_run_waits_for(
    cluster: Cluster, one_method: Workplace, tmp_path: Path
) -> None:
    place = OneMethod.before_training(one_method, tmp_path / "place")
    with Watch(cluster) as watch:
        with place.running() as run:
            place.wait_for_a_checkpoint()
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
        (job,) = training_jobs(cluster)
        place.make("--unlock")
        with place.running() as run:
            assert run.wait(timeout=300) == 0, place.output
    assert f"waiting for its running jobs, so that no work is repeated: {job} (rule_train" in place.output
    assert watch.most_at_once == 1
    assert place.resumed_at() == [0, STEPS], "the model of the job left behind is published, not trained again"
    assert_same_table(place, one_method)


def test_a_job_left_in_the_queue_by_a_killed_snakemake_is_cancelled(
    cluster: Cluster, one_method: Workplace, tmp_path: Path
) -> None:
    place = OneMethod.before_training(one_method, tmp_path / "place")
    for node in cluster.states():
        cluster.run("scontrol", "update", f"nodename={node}", "state=drain", "reason=test")
    try:
        with place.running() as run:
            wait_until(lambda: len(cluster.jobs("pending")) == 1, lambda: place.output)
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
        (left,) = cluster.jobs("pending")
    finally:
        for node in cluster.states():
            cluster.run("scontrol", "update", f"nodename={node}", "state=resume")
            cluster.run("scontrol", "update", f"jobid={left['id']}", "starttime=now+1hour")
    place.make("--unlock")
    with Watch(cluster) as watch, place.running() as run:
        assert run.wait(timeout=300) == 0, place.output
    assert f"cancelled its jobs that had not started: {left['id']}" in place.output
    assert left["id"] not in watch.jobs
    assert_same_table(place, one_method)


def test_two_independent_snakemakes_never_train_at_the_same_time(
    cluster: Cluster, one_method: Workplace, tmp_path: Path
) -> None:
    """The last safeguard: the stage itself refuses to run twice."""
    place = OneMethod.before_training(one_method, tmp_path / "place")
    with place.running() as run:
        place.wait_for_a_checkpoint()
        (job,) = training_jobs(cluster)
        refused = place.snakemake("--nolock", "--retries", "0", "results/runs/full/seed0/metrics.parquet")
        assert refused.returncode != 0
        assert run.poll() is None, "the first one still trains"
        assert run.wait(timeout=300) in (0, 1)
    logs = [log for log in place.job_logs("train") if "still works on this stage" in log]
    assert len(logs) == 1 and f"(SLURM job {job})" in logs[0] and f"scancel {job}" in logs[0]
    place.make("results/table2.md")
    assert place.resumed_at()[0] == 0 and set(place.resumed_at()[1:]) <= {STEPS}
    assert_same_table(place, one_method)


@pytest.fixture(autouse=True)
def no_job_is_left(cluster: Cluster) -> None:
    yield
    cluster.run("scancel", "--user=root")
    wait_until(lambda: not cluster.jobs("pending,running,completing"), lambda: str(cluster.jobs()), seconds=60)
