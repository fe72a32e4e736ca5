"""Records of rollouts are written by threads of several processes, merged without loss, and counted."""

import json
import multiprocessing
import resource
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused

from limr.errors import ContractError
from limr.files.contracts import read_parquet
from limr.jobs.run_counts import check_run
from limr.logs.own_rollouts import from_rollouts
from limr.training.openrlhf.recorded_rollouts import development_accuracy, write_rollouts
from limr.training.openrlhf.records import Attempt, Recorder, Records, read, replayed_steps, step_name, trained_attempt
from limr.training.openrlhf.training_log import write_metrics

PROCESSES, THREADS, STEPS, PROMPTS, SAMPLES = 4, 8, 10, 1250, 8


def row(prompt: int, visit: int, sample: int, step: int, **changes: Any) -> dict[str, Any]:
    reward = (1.0, -0.5, -1.0)[(prompt + sample + visit) % 3]
    return {
        "prompt_id": f"{prompt:016x}", "visit": visit, "sample": sample, "step": step, "reward": reward,
        "correct": reward == 1.0, "formatted": reward > -1.0, "response_tokens": 5, "truncated": False,
        "response": f"\\boxed{{{prompt}}} \u2028 \u00e4\n{sample}", **changes,
    }  # fmt: skip


def write_a_part(folder: Path, part: int) -> None:
    """The work of one process: several threads write its share of every step's prompts."""
    recorder = Recorder(folder)

    def one(step: int, prompt: int, sample: int) -> None:
        recorder.append(step_name(step), row(prompt, 0 if step % 2 == 0 else 1, sample, step))

    with ThreadPoolExecutor(THREADS) as threads:
        for step in range(STEPS):
            prompts = range(part, PROMPTS, PROCESSES)
            list(threads.map(lambda work: one(*work), [(step, p, n) for p in prompts for n in range(SAMPLES)]))


def schedule_of(prompts: Sequence[int], visit: int) -> pl.DataFrame:
    return pl.DataFrame({"prompt_id": [f"{p:016x}" for p in prompts], "visit": visit},
                        schema={"prompt_id": pl.String, "visit": pl.Int64})  # fmt: skip


def audit(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "audit.json").read_text(encoding="utf-8"))


def test_a_record_that_the_disk_takes_only_in_part_is_an_error(tmp_path: Path) -> None:
    """A limit on the size of files makes the system write the first ten bytes only, as a full disk may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(OSError, match="was not written completely: is the disk full"):
            Recorder(tmp_path).append(step_name(0), row(0, 0, 0, 0))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert read(tmp_path / step_name(0)) == Records([], cut_short=1)


def test_100_000_records_of_processes_and_threads_are_merged_without_loss(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write_a_part, args=(tmp_path / "records", n)) for n in range(PROCESSES)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    files = list((tmp_path / "records").rglob("*.jsonl"))
    assert len(files) == PROCESSES * STEPS
    order = list(reversed(range(PROMPTS)))
    attempt = Attempt(0, tmp_path / "records")
    found = [read(attempt.folder / step_name(step)).rows for step in range(STEPS)]
    assert sum(map(len, found)) == PROMPTS * SAMPLES * STEPS == 100_000
    for step, rows in enumerate(found):
        expected = [row(p, step % 2, n, step) for p in range(PROMPTS) for n in range(SAMPLES)]
        assert sorted(rows, key=_prompt_and_sample) == expected
    means = write_rollouts([attempt], 2, 1, SAMPLES, lambda step: schedule_of(order, step), tmp_path / "rollouts")
    shards = [read_parquet(path, "rollouts") for path in sorted((tmp_path / "rollouts").glob("*.parquet"))]
    assert [shard["prompt_id"].unique(maintain_order=True).to_list() for shard in shards] == [
        schedule_of(order, 0)["prompt_id"].to_list()
    ] * 2
    assert means["reward"].to_list() == pytest.approx([shard["reward"].mean() for shard in shards])
    summary = audit(tmp_path / "rollouts")
    assert summary["rollouts"] == 2 * PROMPTS * SAMPLES
    assert summary["incomplete_visits"] == summary["unexpected"] == summary["lines_cut_short"] == 0
    trajectories = from_rollouts(tmp_path / "rollouts")
    assert set(trajectories.n_samples.tolist()) == {SAMPLES}


def _prompt_and_sample(row: dict[str, Any]) -> tuple[str, int]:
    return row["prompt_id"], row["sample"]


def write(folder: Path, rows: list[dict[str, Any]]) -> None:
    for record in rows:
        Recorder(folder).append(step_name(record["step"]), record)


def whole_step(step: int, prompts: Sequence[int] = (0, 1), **changes: Any) -> list[dict[str, Any]]:
    return [row(p, step, n, step, **changes) for p in prompts for n in range(2)]


def test_a_resumed_run_keeps_only_the_rollouts_that_were_trained_on(tmp_path: Path) -> None:
    attempts = [Attempt(0, tmp_path / "first"), Attempt(2, tmp_path / "second")]
    for step in range(4):  # killed in step 3; the last checkpoint was written after step 1
        write(attempts[0].folder, whole_step(step, response="thrown away" if step > 1 else "first"))
    for step in range(2, 5):
        write(attempts[1].folder, whole_step(step, response="second"))
    write_rollouts(attempts, 5, 5, 2, lambda step: schedule_of([0, 1], step), tmp_path / "rollouts")
    (shard,) = (tmp_path / "rollouts").glob("*.parquet")
    table = read_parquet(shard, "rollouts")
    assert table.group_by("step", "response").len().sort("step").rows() == [
        (0, "first", 4), (1, "first", 4), (2, "second", 4), (3, "second", 4), (4, "second", 4)
    ]  # fmt: skip
    summary = audit(tmp_path / "rollouts")
    assert (summary["rollouts"], summary["replayed"], summary["incomplete_visits"]) == (20, 8, 0)
    assert [attempt["first_step"] for attempt in summary["attempts"]] == [0, 2]


@given(st.lists(st.integers(0, 9), max_size=6), st.integers(0, 12))
def test_the_last_attempt_that_began_at_or_before_a_step_trained_it(firsts: list[int], step: int) -> None:
    attempts = [Attempt(first, Path(str(number))) for number, first in enumerate([0, *firsts])]
    weights: dict[int, Attempt] = {}  # step -> the attempt that trained the final weights on its rollouts of this step
    for attempt in attempts:
        weights = {s: earlier for s, earlier in weights.items() if s < attempt.first_step}  # of the checkpoint
        weights |= {s: attempt for s in range(attempt.first_step, 13)}
    assert trained_attempt(attempts, step) is weights[step]


def test_replayed_steps_are_listed(tmp_path: Path) -> None:
    attempts = [Attempt(0, tmp_path / "a"), Attempt(1, tmp_path / "b"), Attempt(1, tmp_path / "c")]
    for attempt in attempts:
        for step in (attempt.first_step, 2):
            write(attempt.folder, whole_step(step))
    assert [(attempt.folder.name, step) for attempt, step in replayed_steps(attempts)] == [
        ("a", 2), ("b", 1), ("b", 2)
    ]  # fmt: skip


def test_a_line_cut_short_by_a_kill_loses_only_that_line(tmp_path: Path) -> None:
    write(tmp_path / "records", whole_step(0))
    (file,) = (tmp_path / "records").rglob("*.jsonl")
    file.write_bytes(file.read_bytes()[:-30])
    records = read(file.parent)
    assert (len(records.rows), records.cut_short) == (3, 1)


def test_a_visit_with_too_few_samples_is_named_and_the_others_are_kept(tmp_path: Path, caplog: Any) -> None:
    write(tmp_path / "records", [r for r in whole_step(0) if (r["prompt_id"], r["sample"]) != (f"{1:016x}", 0)])
    attempt = Attempt(0, tmp_path / "records")
    write_rollouts([attempt], 1, 1, 2, lambda step: schedule_of([0, 1], step), tmp_path / "rollouts")
    summary = audit(tmp_path / "rollouts")
    assert (summary["rollouts"], summary["incomplete_visits"]) == (3, 1)
    assert summary["examples"] == [{"prompt_id": f"{1:016x}", "visit": 0, "samples": 1, "step": 0, "expected": 2}]
    assert "prompt 0000000000000001, visit 0 (step 0): found 1 rollouts, expected 2" in caplog.text


def test_a_run_that_lost_rollouts_and_a_step_is_as_complete_as_its_audit_says(tmp_path: Path) -> None:
    write(tmp_path / "records", [*whole_step(0)[1:], *whole_step(2)])
    attempt = Attempt(0, tmp_path / "records")
    means = write_rollouts([attempt], 3, 1, 2, lambda step: schedule_of([0, 1], step), tmp_path / "rollouts")
    write_metrics(means, {}, [attempt], {attempt: tmp_path / "no_log"}, 4, tmp_path / "metrics.parquet")
    training = {"engine": "openrlhf", "steps": 3, "prompts_per_step": 2, "samples_per_prompt": 2}
    check_run(tmp_path, tmp_path / "no_subset", training)
    max((tmp_path / "rollouts").glob("*.parquet")).unlink()
    with refused(where=tmp_path / "rollouts", found="3 rollouts", expected="7 ("):
        check_run(tmp_path, tmp_path / "no_subset", training)


def test_rollouts_of_prompts_outside_the_schedule_are_counted(tmp_path: Path) -> None:
    write(tmp_path / "records", whole_step(0, prompts=(0, 1, 2)))
    attempt = Attempt(0, tmp_path / "records")
    write_rollouts([attempt], 1, 1, 2, lambda step: schedule_of([0, 1], step), tmp_path / "rollouts")
    assert audit(tmp_path / "rollouts")["unexpected"] == 2


def test_a_rollout_that_occurs_twice_stops_the_extraction(tmp_path: Path) -> None:
    write(tmp_path / "records", [*whole_step(0), whole_step(0)[0]])
    attempt = Attempt(0, tmp_path / "records")
    with refused(ContractError, what="occurs more than once"):
        write_rollouts([attempt], 1, 1, 2, lambda step: schedule_of([0, 1], step), tmp_path / "rollouts")


def test_a_record_that_is_not_an_object_is_refused(tmp_path: Path) -> None:
    (tmp_path / "host-1.jsonl").write_text("3\n", encoding="ascii")
    with refused(where=("host-1.jsonl", "line 1"), found="3", expected="a record"):
        read(tmp_path)


def test_evaluation_rollouts_are_separate_and_give_the_accuracy_of_complete_evaluations(tmp_path: Path) -> None:
    attempts = [Attempt(0, tmp_path / "a"), Attempt(4, tmp_path / "b")]
    development = [row(p, 0, 0, step) | {"correct": p < 2} for step in (1, 3, 5) for p in range(4)]
    for record in development[:-1]:  # the last evaluation lacks a response
        Recorder(attempts[0].folder).append("development", record)
    for record in [row(p, 0, 0, 5) | {"correct": True} for p in range(4)]:
        Recorder(attempts[1].folder).append("development", record)
    assert development_accuracy(attempts, 4) == {1: 0.5, 3: 0.5, 5: 1.0}
    assert not list(replayed_steps(attempts))


def test_a_record_that_cannot_be_written_is_an_error_so_that_no_rollout_is_lost(tmp_path: Path) -> None:
    (tmp_path / step_name(0)).write_text("in the way of the folder", encoding="ascii")
    with pytest.raises(OSError, match=step_name(0)):
        Recorder(tmp_path).append(step_name(0), row(0, 0, 0, 0))
