"""The rollouts that NeMo RL logs of every training step: ``train_data_step{N}.jsonl`` in its ``logger.log_dir``.

Source: ``grpo_train`` and ``async_grpo_train`` of nemo_rl/algorithms/grpo.py, ``grpo_sync.py`` and ``ppo.py`` beside
it, and ``Logger.log_batched_dict_as_jsonl``, in the repository NVIDIA-NeMo/RL at commit 7ea279a (August 2026, after
v0.7.0). A row is a slice of one rollout, so that every value is a list of one:

- ``content``: the texts of the messages, without their roles: perhaps the system's, the user's with the chat template
  around it, then the model's and the environment's in turns. With one model turn that makes three or four.
- ``rewards``: after scaling and shaping. With ``grpo.use_dynamic_sampling`` it is the reward of *another* rollout (the
  batch as it was before prompts without spread were dropped); ``filtered_rewards`` is then this rollout's.
- ``token_loss_mask`` (since v0.6): 1 for the model's tokens.

The step is in the file's name, the gold answer nowhere; the math environment says in its message who was correct. A
resumed run writes to a folder of its own, ``exp_{K}``. Validation is logged beside it, as ``val_data_step{N}.jsonl``.
Rollouts of NeMo Gym are logged without any text and cannot be read. Distillation has no rewards.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec

from limr.logs.format import Format
from limr.logs.json_exact import load
from limr.logs.json_rows import JsonRow, Rollouts, read_json
from limr.logs.templates import user_turn

_VERDICTS = {"Environment: correct": True, "Environment: incorrect": False}  # of the math environment


class Row(JsonRow, rename={"prompt": "content", "reward": "rewards", "filtered": "filtered_rewards"}):
    """A slice of one rollout; or of none, where dynamic sampling kept fewer than it had."""

    prompt: list[list[msgspec.Raw]]
    reward: list[float]
    filtered: list[float] | None = None
    token_loss_mask: msgspec.Raw = msgspec.Raw()

    @classmethod
    def rollouts(cls, rows: Sequence[Any], with_responses: bool) -> Rollouts:
        """The rows that hold a rollout, as columns."""
        full = [(number, row) for number, row in enumerate(rows) if row.prompt and row.prompt[0]]
        chats = [row.prompt[0] for _, row in full]
        columns = Rollouts(
            reward=[_only(row.reward if row.filtered is None else row.filtered) for _, row in full],
            prompt=[
                (tuple(map(bytes, chat[: _opening(chat)])), len(chat), _model_turns(row.token_loss_mask))
                for chat, (_, row) in zip(chats, full, strict=True)
            ],
            row=[number for number, _ in full],
            correct=[_VERDICTS.get(_text(chat[-1])) for chat in chats],
        )
        if with_responses:
            columns.response = ["\n\n".join(map(_text, chat[_opening(chat) :: 2])) for chat in chats]
        return columns

    @staticmethod
    def prompt_text(prompt: Any) -> str:
        """The user's turn of (messages before the model's first, number of messages, turns of the model)."""
        opening, messages, turns = prompt
        if not any(map(_text, opening)):
            raise ValueError("text; NeMo Gym's rollouts are logged without, and cannot be told apart")
        if turns not in (None, (messages - len(opening)) // 2):
            raise ValueError(
                f"the user's message (before it perhaps the system's), then the model's and the environment's in turns:"
                f" {messages} messages do not go with {turns} turns of the model"
            )
        return user_turn(_text(opening[-1]))


def _opening(messages: Sequence[Any]) -> int:
    """How many messages stand before the model's first: every one of those has the environment's answer behind it."""
    return 1 if len(messages) % 2 else 2


def _model_turns(mask: msgspec.Raw) -> int | None:
    """Stretches of ones in the mask; None where there is no mask (before v0.6)."""
    text = bytes(mask).replace(b" ", b"")
    return text.count(b"0,1") if text else None


def _only(values: list[float]) -> float:
    return values[0] if len(values) == 1 else float("nan")


def _text(raw: bytes | msgspec.Raw) -> str:
    value = load(bytes(raw).decode("utf-8", errors="surrogateescape"))
    return value if isinstance(value, str) else ""


FORMAT = Format(
    name="nemo_rl",
    title="NeMo RL, train_data_step{N}.jsonl in logger.log_dir",
    files=r"train_data_step(?P<step>\d+)\.jsonl",
    keys=frozenset({"content", "rewards", "input_lengths", "idx"}),
    read=partial(read_json, Row),
)
