"""The log of LIMR's own fork, written by code copied from the fork."""

import json
from pathlib import Path

import numpy as np

from limr.logs.whole import read_log
from limr.prompts import prompt_id

REWARDS = [1.0, -0.5, -1.0, 1.0]


def write_train(folder: Path, step: int, prompts: list[str]) -> None:
    """As ``fit`` of openrlhf/trainer/ppo_trainer.py does, for a response of each kind to every prompt."""
    qa_pairs = []
    for prompt in prompts:
        for reward in REWARDS:
            response = "So it is $\\boxed{4}$.\nuser\n"
            qa_pairs.append({"prompt": prompt, "response": response, "reward": reward, "response_length": 12.0})
    (folder / "train").mkdir(parents=True, exist_ok=True)
    with (folder / "train" / f"step_{step}.json").open("w", encoding="utf-8") as f:
        json.dump(qa_pairs, f, indent=4)


def write_test(folder: Path, step: int) -> None:
    """As ``evaluate`` does."""
    eval_output = [{"prompt": "2+2?", "solution": "4", "result": True, "source": "math500", "answer": "4"}]
    (folder / "test").mkdir(parents=True, exist_ok=True)
    with (folder / "test" / f"step_{step}.json").open("w", encoding="utf-8") as f:
        json.dump(eval_output, f, indent=4)


def test_a_run_is_read_in_the_order_of_its_steps_and_without_its_evaluation(tmp_path):
    for step in (10, 9, 1):
        write_train(tmp_path, step, [f"What is {step}+1?", "What is the same?"])
        write_test(tmp_path, step)
    log = read_log(tmp_path)
    assert log.format == "limr_fork"
    assert log.files == [str(tmp_path / "train" / f"step_{step}.json") for step in (1, 9, 10)]
    assert log.step.tolist() == [1] * 8 + [9] * 8 + [10] * 8
    assert sorted(log.left_out) == sorted(str(tmp_path / "test" / f"step_{step}.json") for step in (1, 9, 10))
    assert "result, solution, source" in log.left_out[str(tmp_path / "test" / "step_1.json")]


def test_rewards_prompts_and_correctness_are_read_as_the_fork_wrote_them(tmp_path):
    write_train(tmp_path, 1, ["What is 2+2?", "What is 3+1?"])
    log = read_log(tmp_path)
    assert [prompt.prompt_id for prompt in log.prompts] == sorted(map(prompt_id, ["What is 2+2?", "What is 3+1?"]))
    assert [log.prompts[row].text for row in log.prompt] == ["What is 2+2?"] * 4 + ["What is 3+1?"] * 4
    assert log.reward.tolist() == REWARDS * 2
    assert np.array_equal(log.correct, [1, 0, 0, 1] * 2)
    assert log.place.tolist() == list(range(8))
