"""The working directory of a training run, from which an interrupted run resumes.

It holds ``state.pt`` (the learner after some step, and the metrics so far), ``rollouts/`` (one shard for each
checkpoint interval) and ``checkpoints/`` (one model directory each). The state is written last. A resumed run repeats
the later steps and writes the same bytes, because each step draws its random numbers from (seed, step) alone.
"""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import torch

from limr import __version__
from limr.errors import LimrError, counted, first_line
from limr.files.atomic import whole_file
from limr.files.contracts import write_parquet
from limr.training.miniature import model as tiny
from limr.training.miniature.learner import Learner

_KEYS = ("fingerprint", "steps", "metrics", "learner")


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

        Without a state, training starts from step 0 in an empty directory. Raises LimrError, and deletes nothing, if
        the state is damaged, is another file, or belongs to a run with other settings or inputs.
        """
        path = self.work / "state.pt"
        if not path.exists():
            shutil.rmtree(self.work, ignore_errors=True)
            self.work.mkdir(parents=True)
            return 0, []
        stored = self._read(path)
        try:
            learner.load_state(stored["learner"])
        except Exception as error:  # torch has no specific class for a state that does not fit
            raise self._unusable(path, f"a learner that does not fit ({first_line(error)})") from error
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
        state = dict(zip(_KEYS, (self.fingerprint, steps, metrics, learner.state()), strict=True))
        # torch.save to a path hides why a write failed; with an open file, a full disk raises an OSError
        with whole_file(self.work / "state.pt") as temporary, temporary.open("wb") as handle:
            torch.save(state, handle)

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            with zipfile.ZipFile(path) as archive:  # torch.load does not check the checksums
                if damaged := archive.testzip():
                    raise zipfile.BadZipFile(f"{damaged} is damaged")
            stored = torch.load(path, weights_only=True)  # refuses a pickle that would run code
        except Exception as error:  # zipfile, zlib, pickle and torch raise many classes for a damaged file
            found = f"a file that torch cannot load without running code ({first_line(error)})"
            raise self._unusable(path, found) from error
        if not isinstance(stored, dict) or stored.keys() != set(_KEYS):
            raise self._unusable(path, f"{_kind(stored)}, of another program")
        if stored["fingerprint"] != self.fingerprint:
            raise LimrError(
                "this folder holds an unfinished run with other settings, inputs or versions",
                where=path,
                found=f"its state after {counted(stored['steps'], 'step')}",
                advice=f"Restore its settings to finish that run, or remove {self.work} to start a new one.",
            )
        return stored

    def _unusable(self, path: Path, found: str) -> LimrError:
        return LimrError(
            "the training run cannot be resumed",
            where=path,
            found=found,
            expected="the state that this run saved",
            advice=f"Put the saved file back to resume, or remove {self.work} to train from the first step again.",
        )


def _kind(stored: Any) -> str:
    """What another program saved, for a message."""
    if isinstance(stored, dict):
        return f"a dictionary with the keys {', '.join(map(str, list(stored)[:8])) or 'none'}"
    return f"a {type(stored).__name__}"
