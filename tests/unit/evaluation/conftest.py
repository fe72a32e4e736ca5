"""A model with flat logits, and a stand-in for the worker processes of vLLM."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from places import SUPPORT
from tiny_model import VOCABULARY, save_tokenizer

from limr.evaluation import vllm, vllm_processes
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


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use the stand-in instead of the worker, on CPUs. Returns the folder in which each process writes a note."""
    folder = tmp_path / "notes"
    folder.mkdir()
    monkeypatch.setattr(vllm_processes, "WORKER", "vllm_stand_in")
    monkeypatch.setattr(vllm, "runs_on_cpus", lambda: True)
    monkeypatch.setenv("PYTHONPATH", str(SUPPORT))
    monkeypatch.setenv("LIMR_STAND_IN_NOTES", str(folder))
    return folder
