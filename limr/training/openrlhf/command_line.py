"""OpenRLHF's command line, made from the settings by a pure function: any machine can check every configuration."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from limr.errors import LimrError
from limr.training.openrlhf.openrlhf_settings import Argument, OpenRLHFSection, OpenRLHFSettings

EXECUTOR = Path(__file__).with_name("executor.py")

# Arguments without a separate setting; ``training.arguments`` may change them. All models share all GPUs, and each one
# sleeps while the others work.
DEFAULTS: Mapping[str, Argument] = {
    "rollout.top_p": 1.0,
    "algo.kl.estimator": "k1",
    "actor.lr_scheduler": "constant_with_warmup",  # the released script's cosine over 10,000 episodes is flat
    "critic.lr_scheduler": "constant_with_warmup",
    "actor.entropy_coef": 0.0,  # the entropy is logged, but not in the loss
    "actor.gradient_checkpointing_enable": True,
    "vllm.enable_prefix_caching": True,  # the samples of a prompt share its prefix
    "vllm.enable_sleep": True,
    "vllm.sync_backend": "nccl",
    "ds.enable_sleep": True,
    "ds.attn_implementation": "flash_attention_2",
    "ds.packing_samples": True,
}

# Arguments that would break the records or the contracts, and why.
FORBIDDEN: Mapping[str, str] = {
    "reward.normalize_enable": "the reward rule sets the rewards, so it has no effect; with ZeRO-2 it gives NaN",
    "train.async_enable": "the training step of a rollout would differ from the step in its record",
    "train.partial_rollout_enable": "the training step of a rollout would differ from the step in its record",
    "algo.dynamic_filtering_enable": "training would skip prompts of the schedule",
    "rollout.vllm_generate_batch_size": "the training step of a rollout would differ from the step in its record",
    "train.enable_ema": "the checkpoint would hold averages, not the trained weights",
    "ds.lora.rank": "the checkpoint would hold an adapter, which evaluation does not read",
    "data.max_samples": "OpenRLHF must read the complete data set",
    "data.apply_chat_template": "the chat template is applied when the data set is written",
    "data.input_template": "the chat template is applied when the data set is written",
    "use_ms": "models and data are local",
}


@dataclass(frozen=True)
class RunPaths:
    """Paths that OpenRLHF reads and writes."""

    model: Path
    training_set: Path
    evaluation_set: Path
    checkpoints: Path
    final_model: Path
    tensorboard: Path


def command_line(options: OpenRLHFSettings, paths: RunPaths, seed: int, attempt: str, resume: bool) -> list[str]:
    """The arguments of ``openrlhf.cli.train_ppo_ray``.

    ``attempt``: the name of this launch's folder in TensorBoard's folder. ``resume``: load the newest checkpoint. An
    entry of ``options.arguments`` replaces a default: true gives a flag, false removes the argument.
    """
    ours = DEFAULTS | _experiment(options, seed) | _paths(paths, attempt) | _machine(options)
    if resume:
        ours["ckpt.load_enable"] = True
    return as_line(ours | dict(options.arguments))


def as_line(arguments: Mapping[str, Argument]) -> list[str]:
    """``arguments`` as a command line: true gives a flag, false leaves the argument out.

    >>> as_line({"ds.zpg": 8, "ckpt.save_hf": True, "use_ms": False})
    ['--ds.zpg', '8', '--ckpt.save_hf']
    """
    line = []
    for name, value in arguments.items():
        if value is not False:
            line += [f"--{name}"] if value is True else [f"--{name}", _text(value)]
    return line


def forbidden_arguments(options: OpenRLHFSection) -> Iterable[LimrError]:
    """An error for each of ``options.arguments`` that a configuration must not set."""
    here = Path()
    ours = _experiment(options, 0) | _paths(RunPaths(here, here, here, here, here, here), "") | _machine(options)
    for name, value in options.arguments.items():
        where = f"training.arguments.{name}"
        if name in FORBIDDEN and value is not False:
            yield LimrError("this argument cannot be set", where=where, advice=f"Remove it: {FORBIDDEN[name]}.")
        elif name in ours or name == "ckpt.load_enable":
            yield LimrError(
                "this argument cannot be set here", where=where, advice="Remove it: it follows from the other settings."
            )


def warmup_ratio(updates: int, total: int) -> float:
    """The ratio that gives a warm-up of ``updates`` of ``total`` optimiser steps: OpenRLHF takes ceil(total * ratio).

    >>> import math
    >>> math.ceil(5600 * warmup_ratio(10, 5600))
    10
    """
    return max(0.0, updates - 0.5) / total


def _experiment(options: OpenRLHFSection, seed: int) -> dict[str, Argument]:
    """The arguments that define the experiment. They are the same on every machine."""
    ratio = warmup_ratio(options.warmup_updates, options.updates)
    return {
        "train.seed": seed,
        "train.num_episodes": 1,  # the data set holds the whole run: see prompt_dataset.py
        "train.max_epochs": 1,
        "train.batch_size": options.mini_batch_size,
        "rollout.batch_size": options.prompts_per_step,
        "rollout.n_samples_per_prompt": options.samples_per_prompt,
        "rollout.temperature": options.temperature,
        "rollout.max_new_tokens": options.max_response_tokens,
        "data.max_len": options.max_prompt_tokens + options.max_response_tokens,
        "algo.advantage.estimator": "gae",
        "algo.advantage.lambd": options.gae_lambda,
        "algo.advantage.gamma": options.discount,
        "algo.kl.init_coef": options.kl_coefficient,
        "actor.eps_clip": options.clip,
        "actor.adam.lr": options.actor_learning_rate,
        "actor.lr_warmup_ratio": ratio,
        "actor.max_norm": options.gradient_clip,
        "critic.value_clip": options.value_clip,
        "critic.adam.lr": options.critic_learning_rate,
        "critic.lr_warmup_ratio": ratio,
        "critic.max_norm": options.gradient_clip,
        "eval.steps": options.evaluation_interval,
        "eval.temperature": 0.0,
        "eval.n_samples_per_prompt": 1,
        "ckpt.save_steps": options.checkpoint_interval,
        "ckpt.save_hf": True,
        "ckpt.max_num": options.checkpoints_to_resume_from,
        # otherwise checkpoints are kept by score, and the newest may be deleted before the next is complete
        "ckpt.best_metric_key": "none",
        "logger.logging_steps": 1,
    }


def _paths(paths: RunPaths, attempt: str) -> dict[str, Argument]:
    return {
        "actor.model_name_or_path": str(paths.model),
        "critic.model_name_or_path": str(paths.model),
        "data.prompt_dataset": str(paths.training_set),
        "data.input_key": "input",
        "data.label_key": "label",
        "eval.dataset": str(paths.evaluation_set),
        "eval.split": "train",  # the only part of a JSON Lines file, as `datasets` names it
        "train.agent_func_path": str(EXECUTOR),
        "ckpt.path": str(paths.checkpoints),
        "ckpt.output_dir": str(paths.final_model),
        "logger.tensorboard_dir": str(paths.tensorboard),
        "logger.wandb.run_name": attempt,  # also the name of TensorBoard's folder; wandb itself is not used
    }


def _machine(options: OpenRLHFSection) -> dict[str, Argument]:
    """The arguments that describe the machines, and how training is spread over them."""
    groups = {
        f"{group}.{key}": value
        for group in ("actor", "critic", "ref")
        for key, value in (("num_nodes", options.nodes), ("num_gpus_per_node", options.gpus_per_node))
    }
    return groups | {
        "train.colocate_all": True,
        "train.micro_batch_size": options.train_micro_batch_size,
        "rollout.micro_batch_size": options.rollout_micro_batch_size,
        "vllm.num_engines": options.gpus // options.tensor_parallel_size,
        "vllm.tensor_parallel_size": options.tensor_parallel_size,
        "vllm.gpu_memory_utilization": options.gpu_memory_utilization,
        "ds.zero_stage": options.zero_stage,
        "ds.param_dtype": "bf16",
        "ds.adam_offload": options.offload_optimizer,
    }


def _text(value: Argument) -> str:
    return repr(value) if isinstance(value, float) else str(value)
