"""A prompt as the model reads it: one user turn in its chat template, the same in training and in evaluation."""

from collections.abc import Sequence
from typing import Any


def chat_texts(tokenizer: Any, prompts: Sequence[str], system_prompt: str | None = None) -> list[str]:
    """Each of ``prompts`` as the text after which the model's response begins.

    ``tokenizer`` is a transformers tokenizer with a chat template. Without ``system_prompt``, the template may insert
    a default: the template of Qwen2.5-Math asks for the answer in a box.
    """
    system = [] if system_prompt is None else [{"role": "system", "content": system_prompt}]
    chats = [[*system, {"role": "user", "content": prompt}] for prompt in prompts]
    return tokenizer.apply_chat_template(chats, tokenize=False, add_generation_prompt=True) if chats else []
