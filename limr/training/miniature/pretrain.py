"""Pre-training of the miniature's base model, from random weights: next-token prediction on solved problems."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import torch.nn.functional as functional
from tokenizers import Tokenizer

from limr.files.contracts import read_parquet
from limr.progress import ProgressLines
from limr.training.miniature import model as tiny
from limr.training.miniature import tokenizer as tokens
from limr.training.miniature.corpus import CorpusMix, corpus
from limr.training.miniature.miniature_settings import PretrainingSettings
from limr.training.miniature.next_token import NextTokenTrainer
from limr.training.miniature.torch_process import denormals_as_zero, reuse_freed_memory

logger = logging.getLogger(__name__)


@denormals_as_zero()
def pretrain(settings: Mapping[str, Any], held_out: Sequence[Path], model: Path) -> None:
    """Train a base model and write it to the directory ``model``. Its corpus has no prompt of the ``held_out`` files.

    ``settings``: the ``base_model`` section of the configuration. ``held_out``: files of contract prompts.
    """
    options = PretrainingSettings(**settings)
    torch.set_num_threads(1)  # each thread computes a shard of the batch: see NextTokenTrainer
    torch.manual_seed(options.seed)
    reuse_freed_memory()
    tokenizer = tokens.build(reworded=options.reworded > 0)
    network = tiny.TinyQwen2(_shape(options, tokenizer))
    _initialise(network, tokenizer)
    prompts = {prompt for path in held_out for prompt in read_parquet(path, "prompts")["prompt"]}
    examples = corpus(options.seed, CorpusMix.of(options), prompts)
    size = sum(parameter.numel() for parameter in network.parameters())
    logger.info("pre-training %s parameters on %s examples", f"{size:,}", f"{options.steps * options.batch_size:,}")
    progress = ProgressLines("pre-training", options.steps)
    with NextTokenTrainer(network, tokenizer, options.learning_rate, options.steps, options.threads) as trainer:
        for step in range(options.steps):
            loss = trainer.update(step, list(islice(examples, options.batch_size)))
            progress.update(f"loss {loss:.3f}")
    with TemporaryDirectory() as companions:
        _write_companions(Path(companions), network.shape, tokenizer)
        tiny.save(network, model, like=Path(companions))


def _shape(options: PretrainingSettings, tokenizer: Tokenizer) -> tiny.Shape:
    return tiny.Shape(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=options.hidden_size,
        intermediate_size=options.intermediate_size,
        num_hidden_layers=options.num_hidden_layers,
        num_attention_heads=options.num_attention_heads,
        num_key_value_heads=options.num_key_value_heads,
    )


def _initialise(network: tiny.TinyQwen2, tokenizer: Tokenizer) -> None:
    """Normally distributed weights; the embeddings of numbers start from random mixtures of digits and residues.

    One token for each number hides that 57 and 58 are neighbours. Starting from features of the number saves the many
    thousand examples that the model would need to learn this.
    """
    for name, parameter in network.named_parameters():
        if parameter.dim() == 2:
            torch.nn.init.normal_(parameter, std=0.5 / network.shape.hidden_size**0.5)
        elif name.endswith("bias"):
            torch.nn.init.zeros_(parameter)
    numbers = torch.arange(100)
    features = torch.cat(
        [functional.one_hot(numbers // 10, 10), functional.one_hot(numbers % 10, 10), _waves(numbers)], dim=1
    )
    embedding = network.embed_tokens.weight
    mixed = features @ torch.randn(features.shape[1], network.shape.hidden_size)
    rows = [tokenizer.token_to_id(str(number)) for number in numbers.tolist()]
    with torch.no_grad():
        embedding[rows] = mixed * (embedding.std() / mixed.std())


def _waves(numbers: torch.Tensor) -> torch.Tensor:
    """Cosine and sine of each number, (numbers, 2 * periods), at periods that show remainders and sizes."""
    periods = torch.tensor([2, 3, 4, 5, 6, 7, 8, 9, 10, 25, 50, 100, 200])
    angles = 2 * torch.pi * numbers[:, None] / periods
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def _write_companions(directory: Path, shape: tiny.Shape, tokenizer: Tokenizer) -> None:
    """Write the other files of the model directory (COMPANIONS), as transformers and vLLM expect them."""
    end, pad_token = tokenizer.token_to_id(tokens.END), tokenizer.token_to_id(tokens.PAD)
    sizes = {name: value for name, value in asdict(shape).items() if name != "rope_theta"}
    config = sizes | {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "hidden_act": "silu",
        "max_position_embeddings": 256,
        "rope_parameters": {"rope_theta": shape.rope_theta, "rope_type": "default"},
        "tie_word_embeddings": True,
        "dtype": "float32",
        "eos_token_id": end,
        "pad_token_id": pad_token,
        "bos_token_id": None,
    }
    special = {"eos_token": tokens.END, "pad_token": tokens.PAD, "unk_token": tokens.UNKNOWN}
    files = {
        "config.json": config,
        "generation_config.json": {"eos_token_id": end, "pad_token_id": pad_token},
        "tokenizer_config.json": special
        | {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "chat_template": tokens.CHAT_TEMPLATE,
            "clean_up_tokenization_spaces": False,
            "model_max_length": 256,
        },
    }
    for name, content in files.items():
        (directory / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    tokenizer.save(str(directory / "tokenizer.json"))
