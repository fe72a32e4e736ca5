"""Training with OpenRLHF: data sets, launch, resumption, and what the run leaves behind."""

import hashlib
import importlib.metadata
import importlib.util
import json
import logging
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from limr.errors import LimrError
from limr.files.atomic import whole_directory, write_json
from limr.files.contracts import read_parquet
from limr.progress import ProgressLines
from limr.training.openrlhf import VERSION, checkpoints
from limr.training.openrlhf.command_line import RunPaths, command_line
from limr.training.openrlhf.metrics import write_metrics
from limr.training.openrlhf.openrlhf_settings import MACHINE, OpenRLHFSettings
from limr.training.openrlhf.parser import installed, parse
from limr.training.openrlhf.prompt_dataset import schedule, write_development_set, write_training_set
from limr.training.openrlhf.recorded_rollouts import development_accuracy, write_rollouts
from limr.training.openrlhf.records import Attempt
from limr.training.openrlhf.watch import run

logger = logging.getLogger(__name__)

NEEDED = ("ray", "vllm", "deepspeed", "flash_attn")


def train(
    settings: Mapping[str, Any],
    model: Path,
    subset: Path,
    development: Path,
    seed: int,
    work: Path,
    outputs: Mapping[str, Path],
) -> None:
    """Train with PPO and publish the outputs; the arguments are those of ``limr.training.train``.

    The model that is published is that of the last step. Raises LimrError when something that training needs is not
    there, or OpenRLHF fails: what it had recorded stays in ``work``, and the next run goes on from its checkpoint.
    """
    options = OpenRLHFSettings(**settings)
    check_installation()
    prompts, held_out = _prompts(subset, "subset"), _prompts(development, "prompts")
    place = Workplace(work.absolute())
    place.claim(options, seed, model, [subset, development])
    if not place.training_set.exists():
        tokenizer = load_tokenizer(model)
        write_development_set(held_out, tokenizer, options, place.paths(model).evaluation_set)
        write_training_set(prompts, tokenizer, options, seed, place.paths(model).training_set)
    done = place.steps_done(options.steps)
    if done < options.steps:
        _launch(options, place, model.absolute(), seed, done)
    checkpoints.drop_states(place.folder / "openrlhf", place.paths(model).final_model)
    _publish(options, place, prompts, len(held_out), seed, model, outputs)


def check_installation() -> None:
    """Raise LimrError when a package is missing in this Python, or OpenRLHF is another release than the pinned one."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None] + ["openrlhf"] * (not installed())
    if missing:
        raise LimrError(
            f"training.engine openrlhf needs {', '.join(missing)}, which this Python does not have. Run snakemake in "
            "the environment of envs/openrlhf.yaml."
        )
    found = importlib.metadata.version("openrlhf")
    if found != VERSION:
        raise LimrError(f"found OpenRLHF {found}, expected {VERSION}: its arguments and checkpoints change. "
                        "Install the environment of envs/openrlhf.yaml.")  # fmt: skip


def load_tokenizer(model: Path) -> Any:
    """The tokenizer in the directory ``model``. Raises LimrError when there is none, or it has no chat template."""
    for name in ("config.json", "tokenizer.json"):
        if not (model / name).is_file():
            raise LimrError(f"{model}: no {name}; expected a Hugging Face model directory. Make the base model again.")
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(model, local_files_only=True)
    if tokenizer.chat_template is None:
        raise LimrError(f"{model}: the tokenizer has no chat template, which prompts are put through")
    return tokenizer


class Workplace:
    """The working directory of one run: what a resumed one goes on from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def training_set(self) -> Path:
        return self.folder / "data" / "training.jsonl"

    def paths(self, model: Path) -> RunPaths:
        return RunPaths(
            model=model,
            training_set=self.training_set,
            evaluation_set=self.folder / "data" / "development.jsonl",
            checkpoints=self.folder / "openrlhf",
            final_model=self.folder / "final_model",
            tensorboard=self.folder / "tensorboard",
        )

    def claim(self, options: OpenRLHFSettings, seed: int, model: Path, inputs: list[Path]) -> None:
        """Say whose run this is. Raises LimrError where an unfinished run of other settings or inputs lies there."""
        file = self.folder / "run.json"
        mine = {"seed": seed, "inputs": _digest(model, inputs), **_portable(options)}
        if not file.exists():  # what lies here without it is the rest of a run that is finished
            shutil.rmtree(self.folder, ignore_errors=True)
            write_json(file, mine)
            return
        theirs = json.loads(file.read_text(encoding="utf-8"))
        changed = [f"{key} (it has {theirs.get(key)!r}, now {mine.get(key)!r})" for key in sorted(mine | theirs)
                   if mine.get(key) != theirs.get(key)]  # fmt: skip
        if changed:
            raise LimrError(
                f"{self.folder}: an unfinished run with other settings lies here: {'; '.join(changed)}. Go back to its "
                "settings to finish it, or remove the folder to start anew: nothing here removes a run by itself."
            )

    def steps_done(self, steps: int) -> int:
        """The steps that need not be trained again: those before the newest checkpoint, or all."""
        if (self.folder / "final_model" / "tokenizer.json").is_file():
            return steps
        return checkpoints.prepare_to_resume(self.folder / "openrlhf")

    def attempts(self) -> list[Attempt]:
        """The launches so far, in order."""
        file = self.folder / "attempts.json"
        firsts = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
        return [Attempt(first, self.folder / "records" / f"attempt_{n:04d}") for n, first in enumerate(firsts)]

    def new_attempt(self, first_step: int) -> Attempt:
        write_json(self.folder / "attempts.json", [*(attempt.first_step for attempt in self.attempts()), first_step])
        return self.attempts()[-1]

    def operators(self) -> Path:
        """Where DeepSpeed's operators are compiled, without the locks of a launch that was killed while it did.

        A folder that other runs use too cannot be rid of them, and torch waits for a lock for ever.
        """
        folder = self.folder / "operators"
        for lock in folder.rglob("lock"):
            lock.unlink(missing_ok=True)
        return folder

    def log(self, attempt: Attempt) -> Path:
        return self.folder / "logs" / f"{attempt.folder.name}.log"


def _prompts(path: Path, contract: str) -> pl.DataFrame:
    table = read_parquet(path, contract)
    if table.is_empty():
        raise LimrError(f"{path}: holds no prompts; training needs at least one")
    return table


def _portable(options: OpenRLHFSettings) -> dict[str, Any]:
    """The settings that a resumed run must share."""
    return {name: value for name, value in json.loads(json.dumps(asdict(options))).items() if name not in MACHINE}


def _digest(model: Path, inputs: list[Path]) -> str:
    """What the run reads: the prompts' bytes, the model's small files, and names and sizes of its weights."""
    digest = hashlib.sha256()
    for name in ("config.json", "tokenizer.json"):
        if (model / name).is_file():
            digest.update((model / name).read_bytes())
    for weights in sorted(model.glob("*.safetensors")):
        digest.update(f"{weights.name} {weights.stat().st_size}".encode())
    for path in inputs:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _launch(options: OpenRLHFSettings, place: Workplace, model: Path, seed: int, first: int) -> None:
    attempt = place.new_attempt(first)
    line = command_line(options, place.paths(model), seed, attempt.folder.name, resume=first > 0)
    parse(line, installed())
    log = place.log(attempt)
    if first:
        logger.info("resuming at step %d of %d from %s", first, options.steps, place.folder)
    logger.info("training %d steps of %d x %d rollouts on %d GPUs; OpenRLHF's own log: %s", options.steps,
                options.prompts_per_step, options.samples_per_prompt, options.gpus, log)  # fmt: skip
    environment = {
        "LIMR_RECORDS": str(attempt.folder),
        "LIMR_REWARD_RULE": options.reward_rule,
        "HF_DATASETS_CACHE": str(place.folder / "data" / "cache"),
        "HF_HUB_OFFLINE": "1",  # everything is on disk by now
        "TORCH_EXTENSIONS_DIR": os.environ.get("TORCH_EXTENSIONS_DIR") or str(place.operators()),
    }
    progress = ProgressLines(f"OpenRLHF {place.folder.name}", options.steps, first)
    machines = [str(options.nodes), str(options.gpus_per_node)]
    try:
        command = [sys.executable, "-m", "limr.training.openrlhf.launch", *machines, *line]
        run(command, environment, log, progress, patience=60 * options.patience_minutes)
    except LimrError as error:
        kept = checkpoints.prepare_to_resume(place.folder / "openrlhf")
        raise LimrError(
            f"{error}. Its log: {log}. The rollouts up to here are kept in {attempt.folder}; a run with the same "
            f"settings goes on from the last checkpoint, step {kept} of {options.steps}."
        ) from error
    if not place.steps_done(options.steps) == options.steps:
        raise LimrError(f"OpenRLHF ended without a model after the last step. Its log: {log}")


def _publish(
    options: OpenRLHFSettings, place: Workplace, prompts: pl.DataFrame, held_out: int, seed: int, model: Path,
    outputs: Mapping[str, Path],
) -> None:  # fmt: skip
    """Give what the run leaves its final names; the working directory stays until the workflow has succeeded."""
    attempts, paths = place.attempts(), place.paths(model)
    with whole_directory(outputs["rollouts"]) as temporary:
        means = write_rollouts(
            attempts,
            options.steps,
            options.checkpoint_interval,
            options.samples_per_prompt,
            lambda step: schedule(prompts, options, seed, step),
            temporary,
        )
    write_metrics(
        means,
        development_accuracy(attempts, held_out),
        attempts,
        {attempt: place.log(attempt) for attempt in attempts},
        options.prompts_per_step * options.samples_per_prompt,
        outputs["metrics"],
    )
    with whole_directory(outputs["tensorboard"]) as temporary:
        shutil.copytree(paths.tensorboard, temporary, dirs_exist_ok=True)
    checkpoints.publish(
        paths.checkpoints, paths.final_model, options.steps, model, outputs["checkpoints"], outputs["model"]
    )
