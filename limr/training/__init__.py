"""Reinforcement learning (PPO) of one method on its subset of prompts, with one of two engines.

``training.engine`` of the configuration chooses the engine: ``miniature`` trains a tiny model in this process, and
``openrlhf`` runs OpenRLHF on Ray, vLLM and DeepSpeed. Both take the same inputs and visit the prompts in the
same order (``limr.training.schedule``). Both write the same outputs, so no later stage depends on the engine.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from limr.errors import LimrError, one_of, shown


def train(
    settings: Mapping[str, Any],
    model: Path,
    subset: Path,
    development: Path,
    seed: int,
    work: Path,
    outputs: Mapping[str, Path],
) -> None:
    """Train ``model`` on the prompts of ``subset``, or resume the interrupted run in ``work``.

    ``settings``: the ``training`` section of the configuration, with ``reward_rule``, and with ``system_prompt`` where
    the base model has one. ``model``: a Hugging Face model directory. ``subset``: a file of contract subset.
    ``development``: held-out prompts (contract prompts) that are evaluated during training. ``work``: a directory that
    is not an output. ``outputs``: the paths of ``model``, ``rollouts``, ``metrics``, ``checkpoints`` and
    ``tensorboard``. Each output is written completely or not at all.

    Raises LimrError for an unknown engine and for inputs that cannot be trained on.
    """
    match settings["engine"]:
        case "miniature":
            from limr.training.miniature.miniature_training import train as train_with
        case "openrlhf":
            from limr.training.openrlhf.openrlhf_training import train as train_with
        case engine:
            raise LimrError(where="training.engine", found=shown(engine), expected=one_of(["miniature", "openrlhf"]))
    train_with(settings, model, subset, development, seed, work, outputs)
