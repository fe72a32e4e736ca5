r"""The miniature's tokenizer: numbers up to 99, words of the problem templates, signs; one token each.

Larger numbers are read two digits at a time from the left. Decoding gives back exactly the text that was encoded.
"""

import random
import re
from collections.abc import Sequence
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models

from limr.errors import LimrError
from limr.training.miniature.problems import LEVELS, SUBJECTS, draw

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

# A word keeps the space behind it, so that texts come back unchanged and no token is spent on a space.
_PATTERN = r"\\boxed\{|->|[A-Za-z]+ ?|[0-9]{1,2}|."


def build() -> Tokenizer:
    """The tokenizer, its vocabulary fixed by the problem templates: the same on every machine."""
    rng = random.Random(0)
    words = set(re.findall(_PATTERN, GUIDE))
    for subject in SUBJECTS:
        for level in LEVELS:
            for _ in range(40):
                words.update(re.findall(_PATTERN, draw(subject, level, rng).prompt))
    numbers = [str(n) for n in range(100)] + [f"0{n}" for n in range(10)]
    signs = sorted((words | {BOX, "}", "->", ",", " ", "+", "-", "*", "/", "%"}) - set(numbers))
    vocabulary = {token: index for index, token in enumerate([*SPECIAL_TOKENS, *numbers, *signs])}
    # transformers gives every Qwen2 directory Qwen2's own splitting of the text, whatever tokenizer.json says. It
    # keeps added tokens, which are found before any splitting, the longest first: so all tokens are added ones.
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token=UNKNOWN, fuse_unk=True))
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in [*numbers, *signs]])
    return tokenizer


def load(model: Path) -> Tokenizer:
    """The tokenizer of a model directory. Raises LimrError naming its file when it cannot be read."""
    path = model / "tokenizer.json"
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises bare ones
        raise LimrError(f"{path}: cannot be read as a tokenizer ({error}); make the model again") from error


def encode_prompts(tokenizer: Tokenizer, prompts: Sequence[str]) -> list[list[int]]:
    """Token ids of each prompt as one user turn, up to where the assistant begins; as CHAT_TEMPLATE renders it."""
    texts = [f"{USER}{prompt}{ASSISTANT}" for prompt in prompts]
    return [encoding.ids for encoding in tokenizer.encode_batch(texts)]
