"""The working directory of a training run, from which an interrupted run resumes.

It holds ``state.pt`` (the learner after some step, and the metrics so far), ``rollouts/`` (one shard for each
checkpoint interval) and ``checkpoints/`` (one model directory each). The state is written last. A resumed run repeats
the later steps and writes the same bytes, because each step draws its random numbers from (seed, step) alone.
"""

import hashlib
import json
import logging
import pickle
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import torch

from limr import __version__
from limr.files.atomic import whole_file
from limr.files.contracts import write_parquet
from limr.training.miniature import model as tiny
from limr.training.miniature.learner import Learner

logger = logging.getLogger(__name__)


def fingerprint(settings: dict[str, Any], seed: int, model: Path, prompts: Sequence[Path]) -> str:
    """A digest of everything that a training run depends on. A state with another digest belongs to another run."""
    versions = [__version__, torch.__version__]
    digest = hashlib.sha256(json.dumps([settings, seed, versions], sort_keys=True).encode())
    for path in (*(model / name for name in ("config.json", "model.safetensors", "tokenizer.json")), *prompts):
        digest.update(path.read_bytes())
    return digest.hexdigest()


class TrainingState:
    """The working directory of one training run."""

    def __init__(self, work: Path, fingerprint: str) -> None:
        self.work = work
        self.fingerprint = fingerprint

    def resume(self, learner: Learner) -> tuple[int, list[dict[str, Any]]]:
        """Restore ``learner`` to where the last run stopped. Returns the number of steps done, and their metrics.

        Training starts from step 0 in an empty directory if there is no state, or if the state is damaged or belongs to
        another run.
        """
        path = self.work / "state.pt"
        stored = self._read(path) if path.exists() else None
        if stored is None:
            shutil.rmtree(self.work, ignore_errors=True)
            self.work.mkdir(parents=True)
            return 0, []
        learner.load_state(stored["learner"])
        return stored["steps"], stored["metrics"]

    def save(
        self, steps: int, learner: Learner, tables: list[pl.DataFrame], metrics: list[dict[str, Any]], base: Path
    ) -> None:
        """Save the rollouts since the last call, a model directory, and the learner after ``steps`` steps.

        ``tables``: the rollouts, one table for each step. ``base``: the base model's directory.
        """
        first = steps - len(tables)
        shard = self.work / "rollouts" / f"steps_{first:06d}_{steps - 1:06d}.parquet"
        write_parquet(pl.concat(tables), shard, "rollouts")
        tiny.save(learner.actor, self.work / "checkpoints" / f"step_{steps:06d}", like=base)
        state = {"fingerprint": self.fingerprint, "steps": steps, "metrics": metrics, "learner": learner.state()}
        # torch.save to a path hides why a write failed; with an open file, a full disk raises an OSError
        with whole_file(self.work / "state.pt") as temporary, temporary.open("wb") as handle:
            torch.save(state, handle)

    def _read(self, path: Path) -> dict[str, Any] | None:
        try:
            with zipfile.ZipFile(path) as archive:  # torch.load does not check the checksums
                if damaged := archive.testzip():
                    raise zipfile.BadZipFile(f"{damaged} is damaged")
            stored = torch.load(path, weights_only=True)
        except (zipfile.BadZipFile, RuntimeError, pickle.UnpicklingError, OSError) as error:
            logger.warning("%s cannot be read (%s): starting from the first step", path, error)
            return None
        if stored["fingerprint"] != self.fingerprint:
            logger.warning("%s belongs to other settings or inputs: starting from the first step", path)
            return None
        return stored
