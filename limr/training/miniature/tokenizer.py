r"""The miniature's tokenizer: one token for each number up to 99, each word of the problem templates and each sign.

Larger numbers are split into pairs of digits from the left. Decoding returns exactly the text that was encoded.
"""

import random
import re
from collections.abc import Sequence
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models

from limr.errors import LimrError
from limr.training.miniature.problems import LEVELS, SUBJECTS, draw
from limr.training.miniature.wording import other_wording

PAD, END, USER, ASSISTANT, UNKNOWN = "<|pad|>", "<|end|>", "<|user|>", "<|assistant|>", "<|unknown|>"
SPECIAL_TOKENS = (PAD, END, USER, ASSISTANT, UNKNOWN)
BOX = "\\boxed{"
GUIDE = "Show the steps. "

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ '" + USER + "' + message['content'] }}"
    "{% elif message['role'] == 'assistant' %}{{ '" + ASSISTANT + "' + message['content'] + '" + END + "' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '" + ASSISTANT + "' }}{% endif %}"
)

# A word includes the space after it: decoding returns the text unchanged, and spaces need no separate tokens.
_PATTERN = r"\\boxed\{|->|[A-Za-z]+ ?|[0-9]{1,2}|."


def build(reworded: bool = False) -> Tokenizer:
    """The tokenizer, with ``reworded`` also for problems in the other wording.

    The problem templates fix its vocabulary, so it is the same on every machine.
    """
    rng = random.Random(0)
    words = set(re.findall(_PATTERN, GUIDE))
    for subject in SUBJECTS:
        for level in LEVELS:
            for _ in range(40):
                prompt = draw(subject, level, rng).prompt
                words.update(re.findall(_PATTERN, prompt))
                if reworded:
                    words.update(re.findall(_PATTERN, other_wording(subject, prompt)))
    numbers = [str(n) for n in range(100)] + [f"0{n}" for n in range(10)]
    signs = sorted((words | {BOX, "}", "->", ",", " ", "+", "-", "*", "/", "%"}) - set(numbers))
    vocabulary = {token: index for index, token in enumerate([*SPECIAL_TOKENS, *numbers, *signs])}
    # For a Qwen2 directory, transformers replaces the pre-tokenizer in tokenizer.json by Qwen2's own. It keeps added
    # tokens, which are matched before any splitting, the longest first. So all tokens are added tokens.
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token=UNKNOWN, fuse_unk=True))
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in [*numbers, *signs]])
    return tokenizer


def load(model: Path) -> Tokenizer:
    """The tokenizer of the directory ``model``. Raises LimrError when its file cannot be read."""
    path = model / "tokenizer.json"
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the tokenizers library raises bare exceptions
        raise LimrError(
            f"cannot be read as a tokenizer ({error})", where=path, advice="Make the model again."
        ) from error


def encode_prompts(tokenizer: Tokenizer, prompts: Sequence[str]) -> list[list[int]]:
    """Token ids of each prompt as a user turn that ends where the assistant's begins, as CHAT_TEMPLATE renders it."""
    texts = [f"{USER}{prompt}{ASSISTANT}" for prompt in prompts]
    return [encoding.ids for encoding in tokenizer.encode_batch(texts)]
