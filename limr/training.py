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

    ``settings``: the ``training`` section and ``reward_rule``. ``development``: held-out prompts, evaluated along the
    way. ``outputs``: paths of ``model``, ``rollouts``, ``metrics``, ``checkpoints`` and ``tensorboard``.
    """
    engine = settings["engine"]
    if engine != "miniature":
        raise LimrError(f"training.engine: found {engine!r}; the engines are: miniature")
    from limr.miniature.train import train as train_miniature

    train_miniature(settings, model, subset, development, seed, work, outputs)
