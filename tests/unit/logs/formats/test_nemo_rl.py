"""NeMo RL's log: the prompt is found among messages without roles, and the reward is that of this rollout."""

import json
from pathlib import Path
from typing import Any

import pytest
from refusals import refused

from limr.logs.log import LogOptions
from limr.logs.whole import read_log
from limr.prompts import prompt_id

SYSTEM = "You solve problems."


def templated(problem: str) -> str:
    """The user's message of the math processor: no system turn, and the assistant's header at the end."""
    return f"<|im_start|>user\n{problem}<|im_end|>\n<|im_start|>assistant\n"


def row(number: int, content: list[str], reward: float, **more: Any) -> dict[str, Any]:
    """A line as ``log_batched_dict_as_jsonl`` writes it: slices of length one, padded tokens, the row's number."""
    turns = len(content) // 2 if len(content) % 2 else len(content) // 2 - 1
    mask = [0, 0] + turns * [1, 1, 0] + [0]
    keys = {
        "content": [content],
        "rewards": [reward],
        "input_lengths": [2 + 3 * turns],
        "token_ids": [list(range(len(mask)))],
        "token_loss_mask": [mask],
        "sample_loss_mask": [1.0],
        "advantages": [[0.1] * len(mask)],
        "generation_logprobs": [[-0.5] * len(mask)],
        "prev_logprobs": [[-0.5] * len(mask)],
    }
    return keys | {key: [value] for key, value in more.items()} | {"idx": number}


def write(folder: Path, step: int, rows: list[dict[str, Any]]) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / f"train_data_step{step}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_prompts_steps_rewards_and_verdicts_of_a_run(tmp_path: Path) -> None:
    for step, rewards in [(9, (1.0, 0.0)), (10, (0.0, 0.5))]:
        rows = [
            row(number, [templated(problem), f"{problem} is {step}", f"Environment: {verdict}"], reward)
            for number, (problem, verdict, reward) in enumerate(
                zip(("2+2?", "3+3?"), ("correct", "incorrect"), rewards, strict=True)
            )
        ]
        write(tmp_path, step, rows)
    (tmp_path / "val_data_step10.jsonl").write_text(json.dumps({"content": [[]], "rewards": [1.0], "idx": 0}) + "\n")
    log = read_log(tmp_path)
    assert log.format == "nemo_rl"
    assert list(log.left_out) == [str(tmp_path / "val_data_step10.jsonl")]
    assert [prompt.text for prompt in log.prompts] == sorted(("2+2?", "3+3?"), key=prompt_id)
    assert [prompt.prompt_id for prompt in log.prompts] == sorted(map(prompt_id, ("2+2?", "3+3?")))
    assert log.step.tolist() == [9, 9, 10, 10]
    assert log.reward.tolist() == [1, 0, 0, 0.5]
    assert log.correct.tolist() == [1, 0, 1, 0]  # the environment's verdict; the reward is shaped


def test_the_prompt_is_the_users_message_also_after_a_system_message_and_before_several_turns(tmp_path: Path) -> None:
    contents = [
        [SYSTEM, templated("2+2?"), "4", "Environment: correct"],
        [templated("2+2?"), "search", "found: 4", "4", "Environment: correct"],
        [SYSTEM, templated("2+2?"), "search", "found: 4", "4", ""],
    ]
    write(tmp_path, 1, [row(number, content, 1.0) for number, content in enumerate(contents)])
    log = read_log(tmp_path)
    assert [prompt.text for prompt in log.prompts] == ["2+2?"]
    assert len(log) == 3


def test_with_dynamic_sampling_the_filtered_reward_counts_and_empty_rows_are_skipped(tmp_path: Path) -> None:
    full = [
        row(number, [templated("2+2?"), "4", ""], 0.0, filtered_rewards=reward) for number, reward in [(0, 1), (1, 0)]
    ]
    beyond = {"rewards": [1.0], "filtered_rewards": [], "content": [], "input_lengths": [], "idx": 2}
    write(tmp_path, 1, [*full, beyond])
    assert read_log(tmp_path).reward.tolist() == [1, 0]


def test_a_log_without_masks_is_read(tmp_path: Path) -> None:
    rows = [row(number, [templated("2+2?"), "4", ""], 1.0) for number in range(2)]
    for found in rows:
        del found["token_loss_mask"], found["token_ids"]
    write(tmp_path, 1, rows)
    assert read_log(tmp_path).prompts[0].text == "2+2?"


@pytest.mark.parametrize(
    ("content", "mask", "parts"),
    [
        (["", ""], [0, 1], {"expected": "text", "advice": "NeMo Gym"}),
        (["first", "reply", "second", "4", ""], [0, 0, 0, 1, 0], {"what": "5 messages do not fit 1 turns"}),
    ],
)
def test_messages_without_a_clear_prompt_are_refused(
    tmp_path: Path, content: list[str], mask: list[int], parts: dict[str, str]
) -> None:
    file = write(tmp_path, 1, [row(0, ["ok?", "4", ""], 1.0), row(1, content, 1.0) | {"token_loss_mask": [mask]}])
    with refused(where=(file, "line 2", "key 'content'"), **parts):
        read_log(tmp_path)


def test_two_runs_in_one_folder_are_an_error(tmp_path: Path) -> None:
    for run in ("exp_001", "exp_002"):
        write(tmp_path / run, 1, [row(0, ["2+2?", "4", ""], 1.0)])
    with refused(what="step 1 is also in", advice="two runs"):
        read_log(tmp_path, LogOptions())
