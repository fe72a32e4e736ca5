"""The probe measured at fixed checkpoints: every prompt is sampled from every saved model of a training run.

During training, a prompt's place in the shuffle decides at which step each of its visits comes. Here all prompts are
sampled from the same models, so the curves differ by prompt alone. Each checkpoint is a visit.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import torch

from limr.errors import LimrError
from limr.files.atomic import whole_directory
from limr.files.contracts import read_parquet, write_parquet
from limr.grading.equivalence import LIMR
from limr.jobs.run_counts import checkpoint_folders, checkpoint_steps
from limr.progress import ProgressLines
from limr.training.miniature import model as tiny
from limr.training.miniature import tokenizer as tokens
from limr.training.miniature.graded_rollouts import PromptSet, sample
from limr.training.miniature.torch_process import denormals_as_zero, reuse_freed_memory
from limr.training.schedule import checkpoint_uniforms


@denormals_as_zero()
def measure_checkpoints(settings: Mapping[str, Any], checkpoints: Path, prompts: Path, seed: int, output: Path) -> None:
    """Write the folder ``output`` of rollouts (contract rollouts), one shard per checkpoint.

    ``settings``: keys of the section ``training`` (checkpoint_interval, max_response_tokens, prompts_per_step,
    samples_per_prompt, steps, temperature, threads), and ``reward_rule`` and ``grader`` as for a training run.
    ``checkpoints`` holds the models, ``prompts`` is a file of contract subset. The visit of a rollout is the index of
    its checkpoint, from 0; its step is the number of training steps before the checkpoint.

    The same seed gives the same rollouts: the random numbers depend on the seed and the step alone.

    Raises LimrError if a checkpoint is missing, and if there are no prompts.
    """
    needed_for = "Only methods with `probe: {measure: checkpoints}` need them."
    folders = checkpoint_folders(checkpoints, checkpoint_steps(settings), f"the probe, seed {seed}", needed_for)
    table = read_parquet(prompts, "subset")
    if table.is_empty():
        raise LimrError(where=prompts, found="no prompts", expected="at least one, to sample")
    torch.set_num_threads(settings["threads"])
    reuse_freed_memory()
    progress = ProgressLines(f"checkpoints of the probe, seed {seed}", len(folders))
    with whole_directory(output) as temporary:
        for visit, (step, folder) in enumerate(folders.items()):
            prompt_set = PromptSet(table, tokens.load(folder), settings["reward_rule"], settings.get("grader", LIMR))
            rollouts = _sample_all(tiny.load(folder), prompt_set, visit, step, seed, settings)
            write_parquet(rollouts, temporary / f"step_{step:06d}.parquet", "rollouts")
            progress.update(f"step {step}: reward {rollouts['reward'].mean():+.2f}")


def _sample_all(
    model: tiny.TinyQwen2, prompts: PromptSet, visit: int, step: int, seed: int, settings: Mapping[str, Any]
) -> pl.DataFrame:
    """The rollouts of all prompts, in batches as large as those of training."""
    samples, length = settings["samples_per_prompt"], settings["max_response_tokens"]
    uniforms = checkpoint_uniforms(len(prompts) * samples, length, step, seed)
    batches = []
    for start in range(0, len(prompts), settings["prompts_per_step"]):
        indices = list(range(start, min(start + settings["prompts_per_step"], len(prompts))))
        drawn = uniforms[start * samples : (start + len(indices)) * samples]
        visits = [visit] * len(indices)
        batches.append(
            sample(model, prompts, indices, visits, step, samples, length, settings["temperature"], drawn).table
        )
    return pl.concat(batches)
