"""open-instruct's rollouts: a prompt is identified by its tokens, in any shard."""

import json
from pathlib import Path
from typing import Any

import pytest
from refusals import refused

from limr.logs.whole import read_log

PROMPTS = [[151644, 872, 198, 17], [151644, 872, 198, 18]]


def record(step: int, sample: int, prompt: int, reward: float, **more: Any) -> dict[str, Any]:
    """A ``RolloutRecord`` as ``_save_rollouts`` writes it; the batch has two prompts."""
    return {
        "step": step,
        "sample_idx": sample,
        "prompt_idx": prompt,
        "prompt_tokens": PROMPTS[prompt],
        "response_tokens": [19, 151645],
        "reward": reward,
        "advantage": 0.0,
        "finish_reason": "stop",
        "dataset": "math",
        "ground_truth": ["4"],
        "request_info": {"num_calls": 0, "timeouts": 0, "tool_errors": ""},
        "logprobs": [-0.1, float("nan")],  # a response that is only an end token
    } | more


def write(folder: Path, shard: int, records: list[dict[str, Any]]) -> Path:
    file = folder / f"math__1__1700000000_rollouts_{shard:06d}.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return file


def test_prompts_steps_and_rewards_over_shards(tmp_path: Path) -> None:
    metadata = {"run_name": "math", "git_commit": "e6c3044", "model_name": "m", "timestamp": "2026-08-20"}
    (tmp_path / "math__1__1700000000_metadata.jsonl").write_text(json.dumps(metadata) + "\n")
    for shard, step in enumerate((3, 4)):
        write(tmp_path, shard, [record(step, sample, sample // 2, 10.0 * (sample % 2)) for sample in range(4)])
    log = read_log(tmp_path)
    assert log.format == "open_instruct"
    assert len(log.left_out) == 1
    assert [prompt.text for prompt in log.prompts] == ["", ""]
    assert [prompt.answer for prompt in log.prompts] == ["4", "4"]
    assert log.prompt.tolist() in ([0, 0, 1, 1] * 2, [1, 1, 0, 0] * 2)
    assert log.step.tolist() == [3] * 4 + [4] * 4
    assert log.reward.tolist() == [0, 10] * 4


def test_a_prompt_has_the_same_id_in_another_run(tmp_path: Path) -> None:
    ids = []
    for run, order in (("a", (0, 1)), ("b", (1, 0))):
        (tmp_path / run).mkdir()
        write(tmp_path / run, 0, [record(1, prompt, prompt, 1.0) for prompt in order])
        log = read_log(tmp_path / run)
        ids.append([log.prompts[row].prompt_id for row in log.prompt])
    assert ids[0] == ids[1][::-1]


@pytest.mark.parametrize("tokens", [[], None, "What is 2+2?", [1.5]])
def test_a_prompt_without_tokens_is_an_error(tmp_path: Path, tokens: Any) -> None:
    file = write(tmp_path, 0, [record(1, 0, 0, 1.0), record(1, 1, 0, 1.0, prompt_tokens=tokens)])
    with refused(where=(file, "line 2", "key 'prompt_tokens")):
        read_log(tmp_path)
