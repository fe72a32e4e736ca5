"""Training with OpenRLHF: data sets, launch, resumption, and outputs. The package's docstring lists the steps."""

import importlib.metadata
import importlib.util
import logging
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from limr.errors import LimrError
from limr.files.atomic import whole_directory
from limr.files.contracts import read_parquet
from limr.grading.equivalence import LIMR
from limr.progress import ProgressLines
from limr.training.openrlhf import VERSION, checkpoints
from limr.training.openrlhf.command_line import command_line
from limr.training.openrlhf.openrlhf_settings import OpenRLHFSettings
from limr.training.openrlhf.parser import installed, parse
from limr.training.openrlhf.prompt_dataset import schedule, write_development_set, write_training_set
from limr.training.openrlhf.recorded_rollouts import development_accuracy, write_rollouts
from limr.training.openrlhf.records import FOLDER_VARIABLE, GRADER_VARIABLE, RULE_VARIABLE
from limr.training.openrlhf.run_folder import RunFolder
from limr.training.openrlhf.supervisor import run
from limr.training.openrlhf.training_log import write_metrics

logger = logging.getLogger(__name__)

PACKAGES = ("ray", "vllm", "deepspeed", "flash_attn")
_ENVIRONMENT = "envs/openrlhf.yaml"


def train(
    settings: Mapping[str, Any],
    model: Path,
    subset: Path,
    development: Path,
    seed: int,
    work: Path,
    outputs: Mapping[str, Path],
) -> None:
    """Train with PPO and write the outputs. The arguments are those of ``limr.training.train``.

    The published model is that of the last step. Raises LimrError when a package or an input is missing, or when
    OpenRLHF fails. The records and checkpoints then stay in ``work``, and the next run resumes from them.
    """
    options = OpenRLHFSettings(**settings)
    check_installation()
    prompts, held_out = _prompts(subset, "subset"), _prompts(development, "prompts")
    folder = RunFolder(work.absolute())
    folder.claim(options, seed, model, [subset, development])
    paths = folder.paths(model.absolute())
    if not folder.training_set.exists():
        tokenizer = load_tokenizer(model)
        write_development_set(held_out, tokenizer, options, paths.evaluation_set)
        write_training_set(prompts, tokenizer, options, seed, paths.training_set)
    done = folder.steps_done(options.steps)
    if done < options.steps:
        _launch(options, folder, model.absolute(), seed, done)
    checkpoints.drop_states(paths.checkpoints, paths.final_model)
    _publish(options, folder, prompts, len(held_out), seed, model, outputs)


def check_installation() -> None:
    """Raise LimrError when this Python lacks a package, or has another release of OpenRLHF than ``VERSION``."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None] + ["openrlhf"] * (not installed())
    if missing:
        raise LimrError(
            f"this Python has no {', '.join(missing)}",
            where="training.engine openrlhf",
            advice=f"Run snakemake in the environment of {_ENVIRONMENT}.",
        )
    found = importlib.metadata.version("openrlhf")
    if found != VERSION:
        raise LimrError(
            where="OpenRLHF",
            found=found,
            expected=VERSION,
            advice=f"Arguments and checkpoints differ between releases. Install the environment of {_ENVIRONMENT}.",
        )


def load_tokenizer(model: Path) -> Any:
    """The transformers tokenizer in the directory ``model``. Raises LimrError if it or its chat template is missing."""
    for name in ("config.json", "tokenizer.json"):
        if not (model / name).is_file():
            raise LimrError(
                f"no {name}",
                where=model,
                expected="a Hugging Face model directory",
                advice="Make the base model again.",
            )
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(model, local_files_only=True)
    if tokenizer.chat_template is None:
        raise LimrError(
            "the tokenizer has no chat template",
            where=model,
            advice="Use a model with a chat template: every prompt becomes a user turn in it.",
        )
    return tokenizer


def _prompts(path: Path, contract: str) -> pl.DataFrame:
    table = read_parquet(path, contract)
    if table.is_empty():
        raise LimrError(where=path, found="no prompts", expected="at least one, to train on")
    return table


def _launch(options: OpenRLHFSettings, folder: RunFolder, model: Path, seed: int, first: int) -> None:
    """Run OpenRLHF from step ``first`` to the last one. Raises LimrError when there is no final model afterwards."""
    attempt = folder.new_attempt(first)
    line = command_line(options, folder.paths(model), seed, attempt.folder.name, resume=first > 0)
    parse(line, installed())
    log = folder.log(attempt)
    if first:
        logger.info("resuming at step %d of %d from %s", first, options.steps, folder.folder)
    logger.info(
        "training %d steps of %d x %d rollouts on %d GPUs; OpenRLHF's own log: %s",
        *(options.steps, options.prompts_per_step, options.samples_per_prompt, options.gpus, log),
    )
    environment = {
        FOLDER_VARIABLE: str(attempt.folder),
        RULE_VARIABLE: options.reward_rule,
        GRADER_VARIABLE: options.grader or LIMR,
        "HF_DATASETS_CACHE": str(folder.folder / "data" / "cache"),
        "HF_HUB_OFFLINE": "1",  # models and data are on this machine's disk
        "TORCH_EXTENSIONS_DIR": os.environ.get("TORCH_EXTENSIONS_DIR") or str(folder.operators()),
    }
    machines = [str(options.nodes), str(options.gpus_per_node)]
    # -P: no Python file in the current folder is imported in place of a module with its name
    command = [sys.executable, "-P", "-m", "limr.training.openrlhf.launch", *machines, *line]
    progress = ProgressLines(f"OpenRLHF {folder.folder.name}", options.steps, first)
    try:
        run(command, environment, log, progress, patience=60 * options.patience_minutes)
    except LimrError as error:
        kept = checkpoints.prepare_to_resume(folder.checkpoints)
        error.advice = (
            f"Its log: {log}. The rollouts so far are kept in {attempt.folder}. A run with the same settings resumes "
            f"from the last checkpoint, step {kept} of {options.steps}."
        )
        raise
    if folder.steps_done(options.steps) != options.steps:
        raise LimrError("OpenRLHF ended without a model after the last step", advice=f"Its log: {log}.")


def _publish(
    options: OpenRLHFSettings,
    folder: RunFolder,
    prompts: pl.DataFrame,
    held_out: int,
    seed: int,
    model: Path,
    outputs: Mapping[str, Path],
) -> None:
    """Write the outputs. The working directory stays until the workflow has succeeded (rules/training.smk)."""
    attempts, paths = folder.attempts(), folder.paths(model)
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
        {attempt: folder.log(attempt) for attempt in attempts},
        options.rollouts_per_step,
        outputs["metrics"],
    )
    with whole_directory(outputs["tensorboard"]) as temporary:
        shutil.copytree(paths.tensorboard, temporary, dirs_exist_ok=True)
    checkpoints.publish(
        paths.checkpoints, paths.final_model, options.steps, model, outputs["checkpoints"], outputs["model"]
    )
