"""prime-rl's episodes: each trace of a trained agent is a rollout, with a weighted reward and its group's step."""

import json
from pathlib import Path
from typing import Any

import pytest
from refusals import refused

from limr.logs.whole import read_log

PROMPTS = ("2+2?", "3+3?")


def trace(prompt: Any, rewards: dict[str, float], **more: Any) -> dict[str, Any]:
    """A trace as ``Trace`` is dumped, without the values that are null."""
    system = {
        "message": {"role": "system", "content": "Be brief."},
        "sampled": False,
        "token_ids": [1],
        "mask": [False],
    }
    user = {"parent": 0, "message": {"role": "user", "content": "?"}, "token_ids": [2], "mask": [False]}
    reply = {
        "message": {"role": "assistant", "content": "4"},
        "sampled": True,
        "token_ids": [3, 4],
        "mask": [False, True],
    }
    return {
        "version": 1,
        "id": "0" * 32,
        "verifiers": {"version": "0.3.1"},
        "task": {"type": "GSM8KTask", "data": {"idx": 7, "prompt": prompt, "answer": "4"}, "key": "k", "hash": "h"},
        "agent": {"config": {}, "name": "agent", "trainable": True},
        "tools": [],
        "nodes": [system, user, reply],
        "calls": [{"node": 2, "finish_reason": "stop"}],
        "rewards": {
            name: {"score": score, "weight": 2.0 if name == "format" else 1.0} for name, score in rewards.items()
        },
        "metrics": {},
        "info": {},
        "is_completed": True,
        "ok": True,
        "stop_condition": "max_turns",
        "errors": [],
    } | more


def episode(step: int | None, *traces: dict[str, Any], kind: str = "train") -> dict[str, Any]:
    """An episode as ``Episode.to_record`` writes it."""
    run = {"type": "train", "id": "r", "work": {"type": kind, "step": step, "policy": {"start": 0, "end": 1}}}
    return {
        "id": "1" * 32,
        "env": {"id": "gsm8k", "name": "gsm8k"},
        "task": {"type": "GSM8KTask", "data": {"prompt": "2+2?"}},
        "group": {"id": "g"},
        "ok": bool(traces),
        "errors": [],
        "traces": list(traces),
    } | ({"run": run} if step is not None else {})


def write(folder: Path, *episodes: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "traces.jsonl"
    file.write_text("".join(json.dumps(episode) + "\n" for episode in episodes))
    return file


def test_the_step_is_that_of_the_group_and_evaluation_and_effective_are_left_out(tmp_path: Path) -> None:
    rollouts = tmp_path / "eval" / "rollouts"  # the name of a folder above the run does not matter
    for folder, dispatched in (("step_9", (8, 9)), ("step_10", (9, 9))):
        found = [episode(step, trace(PROMPTS[n], {"correct": float(n)})) for n, step in enumerate(dispatched)]
        write(rollouts / folder / "train" / "all", *found)
        write(rollouts / folder / "train" / "effective", found[1])
        write(rollouts / folder / "eval" / "all", episode(9, trace("5+5?", {"correct": 1.0}), kind="eval"))
    log = read_log(tmp_path)
    assert log.format == "prime_rl"
    assert [Path(file).parts[-4] for file in log.files] == ["step_9", "step_10"]
    assert len(log.left_out) == 4
    assert sorted(prompt.text for prompt in log.prompts) == list(PROMPTS)
    assert {prompt.answer for prompt in log.prompts} == {"4"}
    assert log.step.tolist() == [8, 9, 9, 9]
    assert log.reward.tolist() == [0, 1, 0, 1]


def test_effective_alone_is_read(tmp_path: Path) -> None:
    write(tmp_path / "step_1" / "train" / "effective", episode(1, trace("2+2?", {"correct": 1.0})))
    assert len(read_log(tmp_path)) == 1


def test_rewards_are_weighted_and_failed_and_untrained_traces_are_skipped(tmp_path: Path) -> None:
    good = trace([{"role": "user", "content": "2+2?"}], {"correct": 1.0, "format": -0.25})
    failed = trace("2+2?", {}, ok=False)
    judge = trace("2+2?", {"correct": 5.0}, agent={"config": {}, "name": "judge", "trainable": False})
    write(tmp_path, episode(1), episode(1, failed), episode(2, judge, good))
    log = read_log(tmp_path)
    assert log.reward.tolist() == [0.5]
    assert log.place.tolist() == [3]
    assert log.prompts[0].text == "2+2?"


def test_a_step_in_which_all_rollouts_failed_adds_none(tmp_path: Path) -> None:
    failed = trace("2+2?", {}, ok=False)
    file = write(tmp_path / "step_1" / "train" / "all", episode(1, failed), episode(1))
    with refused(where=file, found="no rollouts in 1 file"):
        read_log(tmp_path)
    write(tmp_path / "step_2" / "train" / "all", episode(2, trace("2+2?", {"correct": 1.0})))
    assert read_log(tmp_path).step.tolist() == [2]


def test_an_evaluation_of_verifiers_has_no_steps(tmp_path: Path) -> None:
    write(tmp_path, *(episode(None, trace("2+2?", {"correct": 1.0})) for _ in range(2)))
    assert read_log(tmp_path).step is None


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"rewards": {}}, "reward"),
        ({"rewards": {"correct": {"score": "1"}}}, "rewards"),
        ({"task": {"type": "t", "data": {}}}, "prompt"),
        ({"task": {"type": "t", "data": {"prompt": 4}}}, "prompt"),
    ],
)
def test_a_trace_without_reward_or_prompt_is_an_error(tmp_path: Path, changed: dict[str, Any], key: str) -> None:
    good = trace("2+2?", {"correct": 1.0})
    file = write(tmp_path, episode(1, good), episode(1, good | changed))
    with refused(where=(file, "line 2", key)):
        read_log(tmp_path)
