"""Training of one method on its subset: which engine runs is a line of the configuration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from limr.errors import LimrError


def train(
    settings: Mapping[str, Any],
    model: Path,
    subset: Path,
    development: Path,
    seed: int,
    work: Path,
    outputs: Mapping[str, Path],
) -> None:
    """Train ``model`` on the prompts of ``subset``, resuming from ``work`` where an interrupted run left it.

    ``settings``: the ``training`` section, ``reward_rule``, and ``system_prompt`` where the base model has one.
    ``development``: held-out prompts, evaluated along the way. ``outputs``: paths of ``model``, ``rollouts``,
    ``metrics``, ``checkpoints`` and ``tensorboard``.
    """
    match settings["engine"]:
        case "miniature":
            from limr.training.miniature.miniature_training import train as train_with
        case "openrlhf":
            from limr.training.openrlhf.openrlhf_training import train as train_with
        case engine:
            raise LimrError(f"training.engine: found {engine!r}; the engines are: miniature, openrlhf")
    train_with(settings, model, subset, development, seed, work, outputs)
