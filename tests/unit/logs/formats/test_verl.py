"""verl's dump of rollouts, written by code copied from verl."""

import json
import os
import uuid

from refusals import refused

from limr.logs.log import LogOptions
from limr.logs.whole import read_log

QWEN = "system\nYou are a helpful assistant.\nuser\n{}\nassistant\n"


def dump_generations(global_steps, inputs, outputs, gts, scores, reward_extra_infos_dict, dump_path):
    """``_dump_generations`` of verl/trainer/ppo/ray_trainer.py (commit b178a3c, 2026)."""
    os.makedirs(dump_path, exist_ok=True)  # noqa: PTH103
    filename = os.path.join(dump_path, f"{global_steps}.jsonl")  # noqa: PTH118
    n = len(inputs)
    base_data = {
        "input": inputs,
        "output": outputs,
        "gts": gts,
        "score": scores,
        "step": [global_steps] * n,
    }
    for k, v in reward_extra_infos_dict.items():
        if len(v) == n:
            base_data[k] = v
    lines = []
    for i in range(n):
        entry = {k: v[i] for k, v in base_data.items()}
        lines.append(json.dumps(entry, ensure_ascii=False))
    with open(filename, "w") as f:  # noqa: PTH123
        f.write("\n".join(lines) + "\n")


def dump(path, step, prompts=("What is 2+2?", "Was ist ½+½?"), scores=(1.0, 0.0, 0.0, 1.0), **extra):
    inputs = [QWEN.format(prompt) for prompt in prompts for _ in range(2)]
    dump_generations(step, inputs, ["\\boxed{4}\nuser\n"] * 4, ["4", "4", None, None], list(scores), extra, path)


def test_a_dump_is_read_in_the_order_of_its_steps_with_the_template_stripped(tmp_path):
    for step in (10, 2, 1):
        dump(tmp_path, step)
    log = read_log(tmp_path)
    assert log.format == "verl"
    assert log.step.tolist() == [1] * 4 + [2] * 4 + [10] * 4
    assert [log.prompts[row].text for row in log.prompt] == [
        "What is 2+2?",
        "What is 2+2?",
        "Was ist ½+½?",
        "Was ist ½+½?",
    ] * 3
    assert log.reward.tolist() == [1.0, 0.0, 0.0, 1.0] * 3
    assert {prompt.text: prompt.answer for prompt in log.prompts} == {"What is 2+2?": "4", "Was ist ½+½?": None}


def test_acc_is_the_correctness_where_the_score_is_shaped(tmp_path):
    dump(tmp_path, 1, scores=(0.9, 0.1, -0.3, 1.0), acc=[True, False, False, True], pred=["4", "5", "[INVALID]", "1"])
    assert read_log(tmp_path).correct.tolist() == [1, 0, 0, 1]


def test_another_column_may_be_the_reward(tmp_path):
    dump(tmp_path, 1, scores=(0.9, 0.1, -0.3, 1.0), acc=[True, False, False, True], raw=[1, 0, 0, 1])
    assert read_log(tmp_path, LogOptions(columns={"reward": "raw"})).reward.tolist() == [1, 0, 0, 1]


def test_a_dump_of_validation_is_recognised_by_its_key_reward_and_left_out(tmp_path):
    for step in (1, 2):
        dump(tmp_path / "rollouts", step)
        dump(tmp_path / "validation", step, prompts=("AIME 1", "AIME 2"), reward=[1.0, 0.0, 0.0, 1.0])
    log = read_log(tmp_path)
    assert log.files == [str(tmp_path / "rollouts" / f"{step}.jsonl") for step in (1, 2)]
    assert set(log.left_out) == {str(tmp_path / "validation" / f"{step}.jsonl") for step in (1, 2)}
    assert "validation" in log.left_out[str(tmp_path / "validation" / "1.jsonl")]


def test_if_all_files_have_the_key_reward_none_is_validation(tmp_path):
    for step in (1, 2):
        dump(tmp_path, step, reward=[1.0, 0.0, 0.0, 1.0])
    assert len(read_log(tmp_path)) == 8


def test_two_runs_in_one_folder_are_an_error(tmp_path):
    dump(tmp_path / "first", 1)
    dump(tmp_path / "second", 1)
    with refused(where="second/1.jsonl", what="step 1 is also in", advice="two runs"):
        read_log(tmp_path)


def with_uids(path, outputs):
    """Rows as ``_log_rollout_data`` of verl/trainer/ppo/v1/trainer_base.py writes them: {uid}_{session}_{output}."""
    name = uuid.UUID(int=7)
    uids = [f"{name}_{session}_{output}" for session, output in outputs]
    inputs = [QWEN.format("What is 2+2?")] * len(uids)
    dump_generations(1, inputs, ["4"] * len(uids), ["4"] * len(uids), [1.0] * len(uids), {"uid": uids}, path)


def test_a_row_that_only_fills_up_a_batch_is_skipped(tmp_path):
    with_uids(tmp_path, [(session, 0) for session in range(8)])
    with (tmp_path / "1.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(
            json.dumps({"input": "", "output": "", "gts": "4", "score": 0.0, "step": 1, "uid": "x_0_0"}) + "\n"
        )
    assert read_log(tmp_path).reward.tolist() == [1.0] * 8


def test_the_later_outputs_of_an_agent_are_an_error(tmp_path):
    with_uids(tmp_path, [(0, 0), (0, 1), (1, 0)])
    with refused(where=("1.jsonl", "line 2", "key 'uid'"), found="a session with several outputs"):
        read_log(tmp_path)
