"""What is wrong with the ``training`` section of a configuration that its schema cannot say."""

from collections.abc import Iterable, Mapping
from typing import Any

from limr.training.openrlhf.command_line import refused
from limr.training.openrlhf.openrlhf_settings import OpenRLHFSettings


def contradictions(training: Mapping[str, Any]) -> Iterable[str]:
    """A line for each setting of ``training`` that does not fit the others."""
    gpus = training["nodes"] * training["gpus_per_node"]
    rollouts = training["prompts_per_step"] * training["samples_per_prompt"]
    yield from _multiple(training, "mini_batch_size", gpus * training["train_micro_batch_size"],
                         "GPUs x train_micro_batch_size: every GPU takes whole micro batches")  # fmt: skip
    if rollouts % training["mini_batch_size"]:
        yield (
            f"training.mini_batch_size: found {training['mini_batch_size']}, expected a divisor of prompts_per_step x "
            f"samples_per_prompt, {rollouts}: OpenRLHF drops what does not fill a mini-batch"
        )
    if rollouts % (gpus * training["rollout_micro_batch_size"]):
        yield (
            f"training.rollout_micro_batch_size: found {training['rollout_micro_batch_size']}, expected one by which "
            f"prompts_per_step x samples_per_prompt, {rollouts}, splits evenly over {gpus} GPUs: OpenRLHF hangs on a "
            "rollout batch that does not"
        )
    if gpus % training["tensor_parallel_size"]:
        yield (
            f"training.tensor_parallel_size: found {training['tensor_parallel_size']}, expected a divisor of "
            f"nodes x gpus_per_node, {gpus}"
        )
    updates = training["steps"] * rollouts // training["mini_batch_size"]
    if training["warmup_updates"] > updates:
        yield f"training.warmup_updates: found {training['warmup_updates']}, expected at most {updates}, all updates"
    yield from refused(OpenRLHFSettings(**training, reward_rule=""))


def _multiple(training: Mapping[str, Any], key: str, of: int, why: str) -> Iterable[str]:
    if training[key] % of:
        yield f"training.{key}: found {training[key]}, expected a multiple of {of}, {why}"
