"""Supervised fine-tuning of the miniature's base model on worked solutions. A killed run starts again: it is short."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from limr.errors import LimrError
from limr.files.contracts import read_parquet
from limr.progress import ProgressLines
from limr.settings import Settings
from limr.training.miniature import model as tiny
from limr.training.miniature import tokenizer as tokens
from limr.training.miniature.next_token import NextTokenTrainer
from limr.training.miniature.torch_process import denormals_as_zero, reuse_freed_memory
from limr.training.schedule import step_prompts

logger = logging.getLogger(__name__)


class MiniatureSupervisedRun(Settings):
    """The settings of one run."""

    epochs: int
    batch_size: int
    learning_rate: float
    threads: int


@denormals_as_zero()
def fine_tune(settings: Mapping[str, Any], model: Path, solutions: Path, seed: int, work: Path, output: Path) -> None:
    """Train and write the model directory ``output``. The arguments are those of ``limr.training.supervised``.

    The same arguments give the same bytes. ``work`` is not used.
    """
    options = MiniatureSupervisedRun(**settings)
    torch.set_num_threads(1)  # each thread computes a shard of the batch: see NextTokenTrainer
    reuse_freed_memory()
    table = read_parquet(solutions, "solutions")
    if table.is_empty():
        raise LimrError(where=solutions, found="no solutions", expected="at least one, to train on")
    examples = list(zip(table["prompt"], table["response"], strict=True))
    network = tiny.load(model)
    steps = number_of_updates(len(examples), options.epochs, options.batch_size)
    logger.info(
        "supervised fine-tuning on %s solutions, %d epochs, %d updates, learning rate %g",
        *(f"{len(examples):,}", options.epochs, steps, options.learning_rate),
    )
    progress = ProgressLines("supervised", steps)
    with NextTokenTrainer(network, tokens.load(model), options.learning_rate, steps, options.threads) as trainer:
        for step in range(steps):
            indices, _ = step_prompts(len(examples), options.batch_size, step, seed)
            loss = trainer.update(step, [examples[index] for index in indices])
            progress.update(f"loss {loss:.3f}")
    tiny.save(network, output, like=model)


def number_of_updates(solutions: int, epochs: int, batch_size: int) -> int:
    """Updates of at least ``epochs`` passes over the solutions. The last batch may begin one more pass.

    >>> number_of_updates(solutions=334, epochs=4, batch_size=32)
    42
    """
    return -(-solutions * epochs // batch_size)
