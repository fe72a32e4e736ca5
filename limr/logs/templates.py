"""Finds the user's turn of a prompt that a trainer has logged with a chat template around it.

A prompt is stripped only if all of it has the shape of a template, from the first header to the last. A prompt that
only mentions a header stays as it is. The system's turn is dropped, and so is the assistant's turn at the end, which is
empty or holds only text of the template. A chat of several turns (few-shot examples, a conversation) keeps all other
turns, as ``User: ...`` and ``Assistant: ...``, because two conversations may end with the same question.
"""

# ruff: noqa: RUF001 (the wide bars are in DeepSeek's tokens)

import re
from collections.abc import Mapping
from typing import Any

from limr.errors import LimrError

Turn = tuple[str, str]  # role, text

_ROLES = {"human": "user", "model": "assistant", "gpt": "assistant", "developer": "system"}

# Tokens in front of the first header: they begin a text, or fill a batch.
_PADDING = re.compile(
    r"(?:\s|<\|endoftext\|>|<\|begin_of_text\|>|<\|finetune_right_pad_id\|>|\[gMASK\]|<sop>|<pad>|<unk>|</?s>|<bos>"
    r"|<｜begin▁of▁sentence｜>|<｜▁pad▁｜>|<｜end▁of▁sentence｜>)*"
)

# Headers, with the token that ends the turn before. A header in the middle of a turn is part of the text.
_HEADERS = (
    re.compile(r"(?:^|<\|im_end\|>\s*)<\|im_start\|>(\w+)(?:\n|<\|im_sep\|>)"),  # ChatML: Qwen, Yi, ...; Phi-4
    re.compile(r"(?:^|<\|eot_id\|>\s*)<\|start_header_id\|>(\w+)<\|end_header_id\|>\n\n"),  # Llama 3
    re.compile(r"(?:^|<\|eot\|>\s*)<\|header_start\|>(\w+)<\|header_end\|>\n\n"),  # Llama 4
    re.compile(r"(?:^|<end_of_turn>\s*)<start_of_turn>(\w+)\n"),  # Gemma
    re.compile(r"<\|(system|user|assistant)\|>"),  # Phi-3, Tulu, Zephyr, GLM
)
_TURN_END = re.compile(r"(?:\s|<\|im_end\|>|<\|eot_id\|>|<\|eot\|>|<end_of_turn>|<\|end\|>|</?s>|<\|endoftext\|>)*$")

_DEEPSEEK = re.compile(r"(?:<｜end▁of▁sentence｜>)?<｜(User|Assistant)｜>")
_INSTRUCTION = re.compile(r"\[INST\](.*?)\[/INST\](.*?)(?=\[INST\]|$)", re.DOTALL)
_LLAMA_2_SYSTEM = re.compile(r"(\[INST\])\s*<<SYS>>.*?<</SYS>>", re.DOTALL)
_MISTRAL_SYSTEM = re.compile(r"\[SYSTEM_PROMPT\].*?\[/SYSTEM_PROMPT\]", re.DOTALL)

# A template without special tokens must end with the assistant's header; only an opening with <think> may follow.
_OPENING = r"(?:[^\n]*\s*<think>\s*(?:</think>)?)?\s*"
_PLAIN = (
    # ChatML and Gemma decoded with special tokens skipped, as verl does: system\n...\nuser\n...\nassistant\n
    (
        re.compile(
            r"(?:system\n(?:.*?\n)?)?user\n(?P<turns>.*)\n(?:assistant|model)(?:\n" + _OPENING + ")?", re.DOTALL
        ),
        re.compile(r"\n(user|assistant|model)\n"),
    ),
    # Llama 3, decoded in the same way: system\n\n...user\n\n...assistant\n\n
    (
        re.compile(rf"(?:system\n\n.*?)?user\n\n(?P<turns>.*)assistant(?:\n{_OPENING})?", re.DOTALL),
        re.compile(r"(user|assistant)\n\n"),
    ),
    # DeepSeek-R1-Zero, and the prompts of base models: [A conversation between ...] User: ... Assistant:
    (
        re.compile(rf"(?:A conversation between .*?\s)?(?:User|Human):(?P<turns>.*)\sAssistant:{_OPENING}", re.DOTALL),
        re.compile(r"\n(User|Human|Assistant):"),
    ),
)


def prompt_text(prompt: Any) -> str:
    """The user's turn of a decoded prompt: text, or a list of chat messages.

    Raises LimrError, with what was expected, when it is neither.
    """
    if isinstance(prompt, str):
        return user_turn(prompt)
    if isinstance(prompt, list) and prompt and all(isinstance(message, Mapping) for message in prompt):
        turns = [(str(message.get("role", "user")), _content(message.get("content"))) for message in prompt]
        return _joined(turns)
    raise LimrError(expected="text, or a list of chat messages with role and content")


def response_text(response: Any) -> str:
    """The text of a decoded response: text, or the assistant's messages in a list of chat messages.

    >>> response_text([{"role": "assistant", "content": "4"}, {"role": "tool", "content": "ok"}])
    '4'
    """
    if isinstance(response, str):
        return response
    messages = [message for message in response if isinstance(message, Mapping)] if isinstance(response, list) else []
    return "\n\n".join(str(message.get("content") or "") for message in messages if message.get("role") == "assistant")


def user_turn(text: str) -> str:
    r"""The user's turn in ``text``, without the chat template around it; all of ``text`` where it has no template.

    >>> user_turn("<|im_start|>system\nYou are helpful.<|im_end|>\n<|im_start|>user\nWhat is 2+2?<|im_end|>\n")
    'What is 2+2?'
    >>> user_turn("system\nYou are helpful.\nuser\nWhat is 2+2?\nassistant\n")
    'What is 2+2?'
    >>> user_turn("What does <|im_start|>user mean?")
    'What does <|im_start|>user mean?'
    """
    body = text[_PADDING.match(text).end() :]
    turns = _between_headers(body) or _deepseek(body) or _instructions(body) or _plain(body)
    return (turns and _joined(turns)) or text.strip()


def _between_headers(body: str) -> list[Turn]:
    for header in _HEADERS:
        if header.match(body):
            return _cut(body, header)
    return []


def _deepseek(body: str) -> list[Turn]:
    if "<｜User｜>" not in body:
        return []
    turns = _cut(body, _DEEPSEEK)  # the system's turn has no header and comes before the first one
    return turns if len(turns) > 1 or _DEEPSEEK.match(body) else []


def _instructions(body: str) -> list[Turn]:
    """Llama 2 and Mistral: [INST] user [/INST] assistant."""
    if body.startswith("[SYSTEM_PROMPT]"):
        body = _MISTRAL_SYSTEM.sub("", body, count=1).lstrip()
    if not body.startswith("[INST]"):
        return []
    exchanges = _INSTRUCTION.findall(_LLAMA_2_SYSTEM.sub(r"\1", body, count=1))
    return [turn for user, reply in exchanges for turn in (("user", user), ("assistant", _TURN_END.sub("", reply)))]


def _plain(body: str) -> list[Turn]:
    for template, header in _PLAIN:
        match = template.fullmatch(body)
        if match is None:
            continue
        pieces = header.split(match["turns"])
        turns = [("user", pieces[0]), *zip(pieces[1::2], pieces[2::2], strict=True)]
        speakers = [_role(role) for role, _ in turns]
        is_chat = len(turns) % 2 and speakers == ["user", "assistant"] * (len(turns) // 2) + ["user"]
        return turns if is_chat else [("user", match["turns"])]  # else such a line is part of the user's text
    return []


def _cut(body: str, header: re.Pattern[str]) -> list[Turn]:
    """The turn after each header, without the text before the first."""
    headers = list(header.finditer(body))
    starts = [following.start() for following in headers[1:]]
    pieces = [body[found.end() : end] for found, end in zip(headers, [*starts, None], strict=False)]
    return [(found[1], _TURN_END.sub("", piece)) for found, piece in zip(headers, pieces, strict=True)]


def _joined(turns: list[Turn]) -> str:
    """The turns as one text, without the system's turns and without the assistant's at the end."""
    kept = [(_role(role), text.strip()) for role, text in turns if _role(role) != "system"]
    while len(kept) > 1 and kept[-1][0] == "assistant":
        kept.pop()
    if len(kept) == 1:
        return kept[0][1]
    return "\n\n".join(f"{role.capitalize()}: {text}" for role, text in kept)


def _role(role: str) -> str:
    return _ROLES.get(role.lower(), role.lower())


def _content(content: Any) -> str:
    """The text of a message's content, which is text or a list of parts with text."""
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) if isinstance(part, Mapping) else str(part) for part in content)
    return "" if content is None else str(content)
