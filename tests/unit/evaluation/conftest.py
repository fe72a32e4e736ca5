"""A model whose next token does not depend on the prompt, or hardly."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny_model import VOCABULARY, save_tokenizer

from limr.models.checkpoint import load_checkpoint


@pytest.fixture
def constant_model(model_copy: Path) -> Callable[[float], Path]:
    """Scale the logits of the tiny model: at 0 all tokens are equally likely, and the first one is the argmax."""

    def scale_logits(factor: float) -> Path:
        model, _ = load_checkpoint(model_copy)
        with torch.no_grad():
            model.model.norm.weight.mul_(factor)
        shutil.rmtree(model_copy)
        model.save_pretrained(model_copy)
        save_tokenizer(model_copy, VOCABULARY)
        return model_copy

    return scale_logits
