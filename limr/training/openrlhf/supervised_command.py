"""The command line of OpenRLHF's supervised fine-tuning, made from the settings by a pure function."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from limr.errors import LimrError
from limr.settings import Settings
from limr.training.openrlhf.command_line import as_line
from limr.training.openrlhf.openrlhf_settings import Argument, Arguments

# Arguments without a separate setting; ``arguments`` of the row may change them. The schedule, the decay and the betas
# are those of s1 (arXiv 2501.19393).
DEFAULTS: Mapping[str, Argument] = {
    "lr_scheduler": "cosine_with_min_lr",
    "lr_warmup_ratio": 0.05,
    "min_lr_ratio": 0.0,
    "adam.weight_decay": 1e-4,
    "max_norm": 1.0,
    "train.micro_batch_size": 1,  # a published solution has thousands of tokens
    "model.gradient_checkpointing_enable": True,
    "ds.attn_implementation": "flash_attention_2",
    "ds.packing_samples": True,
}

# Arguments that would break the output, and why.
FORBIDDEN: Mapping[str, str] = {
    "ds.lora.rank": "the model directory would hold an adapter, which evaluation does not read",
    "ds.load_in_4bit": "the model directory would hold quantised weights",
    "data.apply_chat_template": "the chat template is applied when the data set is written",
    "data.input_template": "the chat template is applied when the data set is written",
    "data.multiturn": "a row of the data set is one prompt with its solution",
    "data.max_samples": "OpenRLHF must read the complete data set",
    "model.pretrain_mode_enable": "the prompts would be trained on too",
    "use_ms": "models and data are local",
}


class OpenRLHFSupervisedRun(Settings):
    """The settings of one run, on one machine: those of its row, and some of the section `training`."""

    epochs: int
    batch_size: int
    learning_rate: float
    max_tokens: int
    arguments: Arguments = Field(default_factory=dict)
    system_prompt: str | None = None
    gpus_per_node: int
    zero_stage: int
    offload_optimizer: bool
    patience_minutes: float


@dataclass(frozen=True)
class SupervisedPaths:
    """Paths that OpenRLHF reads and writes."""

    model: Path
    training_set: Path
    final_model: Path
    tensorboard: Path


def supervised_line(options: OpenRLHFSupervisedRun, paths: SupervisedPaths, seed: int) -> list[str]:
    """The arguments of ``openrlhf.cli.train_sft``.

    An entry of ``options.arguments`` replaces a default: true gives a flag, false removes the argument.
    """
    return as_line(DEFAULTS | _ours(options, paths, seed) | options.arguments)


def forbidden_arguments(arguments: Mapping[str, Argument], where: str) -> Iterable[LimrError]:
    """An error for each of ``arguments`` that a row must not set; ``where`` is the row's place."""
    here = Path()
    options = OpenRLHFSupervisedRun(
        epochs=1, batch_size=1, learning_rate=1.0, max_tokens=1, gpus_per_node=1, zero_stage=3,
        offload_optimizer=True, patience_minutes=1.0,
    )  # fmt: skip
    ours = _ours(options, SupervisedPaths(here, here, here, here), 0)
    for name, value in arguments.items():
        place = f"{where}.arguments.{name}"
        if name in FORBIDDEN and value is not False:
            yield LimrError("this argument cannot be set", where=place, advice=f"Remove it: {FORBIDDEN[name]}.")
        elif name in ours:
            yield LimrError(
                "this argument cannot be set here", where=place, advice="Remove it: it follows from the other settings."
            )


def _ours(options: OpenRLHFSupervisedRun, paths: SupervisedPaths, seed: int) -> dict[str, Argument]:
    return {
        "train.seed": seed,
        "train.max_epochs": options.epochs,
        "train.batch_size": options.batch_size,
        "adam.lr": options.learning_rate,
        "model.model_name_or_path": str(paths.model),
        "data.dataset": str(paths.training_set),
        "data.dataset_split": "train",  # the only part of a JSON Lines file, as `datasets` names it
        "data.input_key": "input",
        "data.output_key": "output",
        "data.input_template": "{}",  # the rows hold the prompt as the model reads it
        "data.max_len": options.max_tokens,
        "ckpt.output_dir": str(paths.final_model),
        "logger.tensorboard_dir": str(paths.tensorboard),
        "logger.wandb.run_name": "supervised",  # also the name of TensorBoard's folder; wandb itself is not used
        "ds.zero_stage": options.zero_stage,
        "ds.param_dtype": "bf16",
        "ds.adam_offload": options.offload_optimizer,
    }
