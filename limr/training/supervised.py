"""Supervised fine-tuning (SFT) of the base model on few worked solutions, with the engine of reinforcement learning.

``training.engine`` of the configuration chooses the engine: ``miniature`` trains in this process, and ``openrlhf`` runs
OpenRLHF's ``openrlhf.cli.train_sft``. One call trains with one learning rate. Of the rates of a row,
``limr.evaluation.learning_rate_sweep`` chooses one by the development set alone.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from limr.errors import LimrError, one_of, shown


def fine_tune(
    engine: str, settings: Mapping[str, Any], model: Path, solutions: Path, seed: int, work: Path, output: Path
) -> None:
    """Train the model in directory ``model`` on ``solutions`` (contract solutions), and write the directory ``output``.

    ``settings``: ``epochs``, ``batch_size`` and ``learning_rate``, and those of the engine. ``seed``: of the order of
    the solutions. ``work``: a directory that is not an output. ``output`` is written completely or not at all.

    Raises LimrError for an unknown engine and for inputs that cannot be trained on.
    """
    match engine:
        case "miniature":
            from limr.training.miniature.supervised_training import fine_tune as fine_tune_with
        case "openrlhf":
            from limr.training.openrlhf.supervised_launch import fine_tune as fine_tune_with
        case _:
            raise LimrError(where="training.engine", found=shown(engine), expected=one_of(["miniature", "openrlhf"]))
    fine_tune_with(settings, model, solutions, seed, work, output)
