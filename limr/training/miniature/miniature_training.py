"""PPO training of the miniature: rollouts, rewards and updates, step after step. A killed run resumes."""

import logging
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import torch

from limr.errors import LimrError
from limr.files.atomic import whole_directory
from limr.files.contracts import read_parquet, write_parquet
from limr.grading.equivalence import LIMR
from limr.progress import ProgressLines
from limr.training.miniature import model as tiny
from limr.training.miniature import tokenizer as tokens
from limr.training.miniature.graded_rollouts import PromptSet, Rollouts, accuracy, sample
from limr.training.miniature.learner import Learner
from limr.training.miniature.miniature_settings import MiniatureSettings
from limr.training.miniature.state import TrainingState, fingerprint
from limr.training.miniature.torch_process import denormals_as_zero, reuse_freed_memory
from limr.training.schedule import step_generator, step_prompts, step_uniforms

logger = logging.getLogger(__name__)


@denormals_as_zero()
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

    Raises LimrError naming the file when the model or the prompts cannot be read, when there are no prompts, and when
    ``work`` holds a state that this run cannot resume from.
    """
    options = MiniatureSettings(**settings)
    torch.set_num_threads(options.threads)
    torch.manual_seed(seed)
    reuse_freed_memory()
    prompts = _prompts(subset, model, "subset", options)
    held_out = _prompts(development, model, "prompts", options)
    learner = Learner(tiny.load(model), tiny.load(model), options)
    state = TrainingState(work, fingerprint(options.model_dump(exclude_none=True), seed, model, [subset, development]))
    first, metrics = state.resume(learner)
    if first:
        logger.info("resuming at step %d of %d from %s", first, options.steps, work)
    logger.info("training on %s prompts, %d steps of %d x %d rollouts", f"{len(prompts):,}", options.steps,
                options.prompts_per_step, options.samples_per_prompt)  # fmt: skip
    board = _tensorboard(work / "tensorboard", first)
    tables: list[pl.DataFrame] = []
    progress = ProgressLines(f"PPO {work.name}", options.steps, first)
    for step in range(first, options.steps):
        row, rollouts = _step(learner, prompts, held_out, step, seed, options)
        metrics.append(row)
        tables.append(rollouts.table)
        for name, value in row.items():
            if name != "step" and value is not None:
                board.add_scalar(name, value, step)
        progress.update(f"reward {row['reward']:+.2f}, accuracy {row['accuracy']:.2f}")
        if (step + 1) % options.checkpoint_interval == 0 or step + 1 == options.steps:
            state.save(step + 1, learner, tables, metrics, model)
            tables = []
    board.close()
    _log_time(metrics)
    _publish(work, learner, metrics, model, outputs)


def _prompts(path: Path, model: Path, contract: str, options: MiniatureSettings) -> PromptSet:
    table = read_parquet(path, contract)
    if table.is_empty():
        raise LimrError(where=path, found="no prompts", expected="at least one, to train on")
    return PromptSet(table, tokens.load(model), options.reward_rule, options.grader or LIMR)


def _step(
    learner: Learner, prompts: PromptSet, held_out: PromptSet, step: int, seed: int, options: MiniatureSettings
) -> tuple[dict[str, Any], Rollouts]:
    """One training step. Returns its row of the metrics contract, and its rollouts."""
    held_out_accuracy = None
    if step % options.evaluation_interval == 0:
        held_out_accuracy = accuracy(learner.actor, held_out, options.max_response_tokens)
    start = time.perf_counter()
    indices, visits = step_prompts(len(prompts), options.prompts_per_step, step, seed)
    rows = len(indices) * options.samples_per_prompt
    rollouts = sample(
        learner.actor,
        prompts,
        indices,
        visits,
        step,
        options.samples_per_prompt,
        options.max_response_tokens,
        options.temperature,
        step_uniforms(rows, options.max_response_tokens, step, seed),
    )
    learned = learner.learn(rollouts, step, step_generator(step, seed))
    table, responses = rollouts.table, rollouts.responses
    row = {
        "step": step,
        "reward": float(table["reward"].mean()),
        "accuracy": float(table["correct"].mean()),
        "format_errors": 1.0 - float(table["formatted"].mean()),
        "response_tokens": float(table["response_tokens"].mean()),
        "entropy": float(responses.entropies.sum() / responses.mask.sum()),
        **learned,
        "development_accuracy": held_out_accuracy,
        "samples_per_second": rows / (time.perf_counter() - start),
    }
    return row, rollouts


def _tensorboard(directory: Path, first: int) -> Any:
    from torch.utils.tensorboard import SummaryWriter  # slow to import

    return SummaryWriter(str(directory), purge_step=first)


def _log_time(metrics: list[dict[str, Any]]) -> None:
    rates = torch.tensor([row["samples_per_second"] for row in metrics])
    logger.info("median %.0f rollouts per second, generated, graded and trained on", rates.median())


def _publish(
    work: Path, learner: Learner, metrics: list[dict[str, Any]], base: Path, outputs: Mapping[str, Path]
) -> None:
    """Copy the results of the run to the outputs' paths.

    The working directory stays until the workflow has succeeded (rules/training.smk). If Snakemake is killed before a
    job ends, its next run deletes the outputs of the job. The job then copies them again and does not train again.
    """
    for name in ("rollouts", "checkpoints", "tensorboard"):
        with whole_directory(outputs[name]) as temporary:
            shutil.copytree(work / name, temporary, dirs_exist_ok=True)
    write_parquet(pl.DataFrame(metrics, infer_schema_length=None), outputs["metrics"], "metrics")
    tiny.save(learner.actor, outputs["model"], like=base)
