"""The folder of one training run, from which an interrupted run resumes.

It holds ``run.json`` (settings and inputs of the run), ``data/`` (OpenRLHF's data sets), ``records/`` and ``logs/``
(one part for each attempt), ``openrlhf/`` (checkpoints), ``tensorboard/``, ``operators/`` and, at the end,
``final_model/``.
"""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from limr.errors import LimrError, shown
from limr.files.atomic import write_json
from limr.training.openrlhf import checkpoints
from limr.training.openrlhf.command_line import RunPaths
from limr.training.openrlhf.openrlhf_settings import MACHINE, OpenRLHFSettings
from limr.training.openrlhf.records import Attempt


class RunFolder:
    """Paths and state of one run, below ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def training_set(self) -> Path:
        """The data set of the whole run; it is written last, so the data are complete if it exists."""
        return self.folder / "data" / "training.jsonl"

    @property
    def checkpoints(self) -> Path:
        """The folder of OpenRLHF's checkpoints."""
        return self.folder / "openrlhf"

    def paths(self, model: Path) -> RunPaths:
        """Paths that OpenRLHF reads and writes when it trains ``model``."""
        return RunPaths(
            model=model,
            training_set=self.training_set,
            evaluation_set=self.folder / "data" / "development.jsonl",
            checkpoints=self.checkpoints,
            final_model=self.folder / "final_model",
            tensorboard=self.folder / "tensorboard",
        )

    def claim(self, options: OpenRLHFSettings, seed: int, model: Path, inputs: list[Path]) -> None:
        """Take the folder for the run with these settings and inputs, or check that it belongs to this run.

        Raises LimrError if it holds an unfinished run with other settings or inputs.
        """
        file = self.folder / "run.json"
        current = {"seed": seed, "inputs": _digest(model, inputs), **_settings_to_resume(options)}
        if not file.exists():  # then the folder is empty or holds the remains of a finished run
            shutil.rmtree(self.folder, ignore_errors=True)
            write_json(file, current)
            return
        stored = json.loads(file.read_text(encoding="utf-8"))
        changed = [key for key in sorted(current | stored) if current.get(key) != stored.get(key)]
        if changed:
            raise LimrError(
                "this folder holds an unfinished run with other settings",
                where=self.folder,
                found=", ".join(f"{key} {shown(stored.get(key))}" for key in changed),
                expected=", ".join(f"{key} {shown(current.get(key))}" for key in changed),
                advice="Restore those settings to finish that run, or remove the folder to start a new one.",
            )

    def steps_done(self, steps: int) -> int:
        """The number of steps that need not be trained again: all ``steps``, or those before the last checkpoint."""
        if (self.folder / "final_model" / "tokenizer.json").is_file():
            return steps
        return checkpoints.prepare_to_resume(self.checkpoints)

    def attempts(self) -> list[Attempt]:
        """The attempts so far, in order."""
        file = self.folder / "attempts.json"
        first_steps = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
        return [
            Attempt(first_step, self.folder / "records" / f"attempt_{number:04d}")
            for number, first_step in enumerate(first_steps)
        ]

    def new_attempt(self, first_step: int) -> Attempt:
        """Record that a new attempt begins at ``first_step``."""
        write_json(self.folder / "attempts.json", [*(attempt.first_step for attempt in self.attempts()), first_step])
        return self.attempts()[-1]

    def log(self, attempt: Attempt) -> Path:
        """OpenRLHF's log of ``attempt``."""
        return self.folder / "logs" / f"{attempt.folder.name}.log"

    def operators(self) -> Path:
        """The folder for DeepSpeed's compiled operators, without the locks that a killed attempt left.

        Torch waits for such a lock forever. Each run has a separate folder, because the locks of a shared folder could
        not be removed safely.
        """
        folder = self.folder / "operators"
        for lock in folder.rglob("lock"):
            lock.unlink(missing_ok=True)
        return folder


def _settings_to_resume(options: OpenRLHFSettings) -> dict[str, Any]:
    """The settings that a resumed run must share with the interrupted one."""
    return {name: value for name, value in options.model_dump(mode="json").items() if name not in MACHINE}


def _digest(model: Path, inputs: list[Path]) -> str:
    """A digest of the prompts' bytes, of the model's small files, and of the names and sizes of its weights."""
    digest = hashlib.sha256()
    for name in ("config.json", "tokenizer.json"):
        if (model / name).is_file():
            digest.update((model / name).read_bytes())
    for weights in sorted(model.glob("*.safetensors")):
        digest.update(f"{weights.name} {weights.stat().st_size}".encode())
    for path in inputs:
        digest.update(path.read_bytes())
    return digest.hexdigest()
