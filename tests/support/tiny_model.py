"""A random Qwen2 of a few thousand weights with a character tokenizer: a real model directory in milliseconds."""

import string
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

SPECIAL = ["<pad>", "<eos>", "<user>", "<assistant>"]
VOCABULARY = [*SPECIAL, *dict.fromkeys("0123456789+=,\\boxed{}? " + string.ascii_letters)]
END = VOCABULARY.index("<eos>")


def save_model(path: Path, **save: object) -> None:
    """Write a model directory to ``path``; ``save`` are arguments of ``save_pretrained``."""
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(VOCABULARY),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        initializer_range=0.5,  # wide enough for peaked, varied answers
    )
    Qwen2ForCausalLM(config).save_pretrained(path, **save)
    save_tokenizer(path, VOCABULARY)


def save_tokenizer(path: Path, vocabulary: list[str]) -> None:
    """Write a tokenizer with one token per character and a chat template."""
    tokenizer = Tokenizer(models.WordLevel({token: i for i, token in enumerate(vocabulary)}, unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(""), "isolated")
    tokenizer.decoder = decoders.Fuse()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>", additional_special_tokens=SPECIAL[2:]
    )
    fast.chat_template = "<user>{{ messages[0]['content'] }}<assistant>"
    fast.save_pretrained(path)
