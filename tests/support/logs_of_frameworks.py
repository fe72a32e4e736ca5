"""Small logs in the format of every framework, for tests: the same rollouts, as each framework writes them."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple


class Rollout(NamedTuple):
    """The values that every framework logs of a rollout."""

    step: int
    prompt: str
    reward: Any
    response: str = "So it is 4."


Row = dict[str, Any]


@dataclass(frozen=True)
class Framework:
    """How a framework logs: its rows, the keys of the reward in a row, and the file of a step."""

    row: Callable[[Rollout], Row]
    reward: tuple[str | int, ...]  # keys down to the reward
    file: str  # of a step
    is_list: bool = False  # else one object a line

    def text(self, rows: Iterable[Row]) -> bytes:
        """A file's content."""
        rows = list(rows)
        return (json.dumps(rows) if self.is_list else "".join(json.dumps(row) + "\n" for row in rows)).encode()

    def write(self, folder: Path, rollouts: Iterable[Rollout]) -> list[Path]:
        """Write a log into ``folder``: its files in the order of the steps."""
        files = []
        for step, found in groupby(
            sorted(rollouts, key=lambda rollout: rollout.step), key=lambda rollout: rollout.step
        ):
            files.append(folder / self.file.format(step=step))
            files[-1].parent.mkdir(parents=True, exist_ok=True)
            files[-1].write_bytes(self.text(map(self.row, found)))
        return files

    def with_reward(self, rollout: Rollout, reward: Any = ...) -> Row:
        """A row with another reward, or without a reward if none is given."""
        row = json.loads(json.dumps(self.row(rollout)))
        place: Any = row
        for key in self.reward[:-1]:
            place = place[key]
        if reward is ...:
            del place[self.reward[-1]]
        else:
            place[self.reward[-1]] = reward
        return row


def templated(prompt: str) -> str:
    """A prompt in the chat template of Qwen's models, decoded with special tokens."""
    return f"<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n"


def _nemo_rl(rollout: Rollout) -> Row:
    return {
        "content": [[templated(rollout.prompt), rollout.response, "Environment: correct"]],
        "rewards": [rollout.reward],
        "input_lengths": [4],
        "token_loss_mask": [[0, 0, 1, 0]],
        "idx": 0,
    }


def _open_instruct(rollout: Rollout) -> Row:
    return {
        "step": rollout.step,
        "sample_idx": 0,
        "prompt_idx": 0,
        "prompt_tokens": list(rollout.prompt.encode()),
        "response_tokens": list(rollout.response[:20].encode()),
        "reward": rollout.reward,
        "advantage": 0.0,
        "finish_reason": "stop",
        "dataset": rollout.response,
    }


def _verifiers(rollout: Rollout) -> Row:
    return {
        "example_id": 3,
        "task": "gsm8k",
        "prompt": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": rollout.prompt}],
        "completion": [{"role": "assistant", "content": rollout.response}],
        "reward": rollout.reward,
        "timing": {},
        "is_completed": True,
        "is_truncated": False,
        "metrics": {"correct": rollout.reward},
        "answer": "4",
        "error": None,
    }


def _prime_rl(rollout: Rollout) -> Row:
    reply = {"message": {"role": "assistant", "content": rollout.response}, "sampled": True, "mask": [True]}
    trace = {
        "task": {"type": "Task", "data": {"prompt": rollout.prompt}},
        "agent": {"name": "agent", "trainable": True},
        "nodes": [reply],
        "rewards": {"correct": {"score": rollout.reward, "weight": 1.0}},
        "ok": True,
    }
    run = {"type": "train", "id": "r", "work": {"type": "train", "step": rollout.step}}
    return {"id": "e", "env": {"id": "env"}, "task": {}, "run": run, "ok": True, "traces": [trace]}


JSON_FRAMEWORKS = {
    "limr_fork": Framework(
        lambda of: {"prompt": of.prompt, "response": of.response, "reward": of.reward, "response_length": 5},
        ("reward",),
        "step_{step}.json",
        is_list=True,
    ),
    "nemo_rl": Framework(_nemo_rl, ("rewards", 0), "train_data_step{step}.jsonl"),
    "open_instruct": Framework(_open_instruct, ("reward",), "run_rollouts_{step:06d}.jsonl"),
    "prime_rl": Framework(
        _prime_rl, ("traces", 0, "rewards", "correct", "score"), "rollouts/step_{step}/train/all/traces.jsonl"
    ),
    "table": Framework(
        lambda of: {"step": of.step, "prompt": of.prompt, "reward": of.reward, "answer": "4"},
        ("reward",),
        "step_{step}.jsonl",
    ),
    "verifiers": Framework(_verifiers, ("reward",), "rollouts/step_{step}/train_rollouts.jsonl"),
    "verl": Framework(
        lambda of: {
            "input": templated(of.prompt),
            "output": of.response,
            "gts": "4",
            "score": of.reward,
            "step": of.step,
        },
        ("score",),
        "{step}.jsonl",
    ),
}
