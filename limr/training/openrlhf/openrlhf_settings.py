"""The settings of the OpenRLHF engine: PPO, and the machines that it runs on.

"paper" is arXiv 2502.11886; "released script" is the training script that its authors published.
"""

import math
import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from limr.settings import Count, LearningRate, Positive, Settings, Share, SomeShare, Temperature, refusal

Argument = bool | int | float | str

# These settings may change between a run that was stopped and the run that resumes it: they change the speed, but not
# the experiment.
MACHINE = ("train_micro_batch_size", "rollout_micro_batch_size", "gpu_memory_utilization", "patience_minutes")


def _scalar(value: Any) -> Any:
    if isinstance(value, str) and not value.isprintable():
        raise refusal(expected="one line of visible text")
    if isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise refusal(expected="a finite number, text, true or false")


def _argument_name(name: Any) -> Any:
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z]\w*([.-]\w+)*", name, re.ASCII):
        raise refusal(expected="the name of an argument without its dashes, e.g. ds.zpg")
    return name


ArgumentName = Annotated[str, BeforeValidator(_argument_name)]
Arguments = dict[ArgumentName, Annotated[Argument, BeforeValidator(_scalar)]]


class OpenRLHFSection(Settings):
    """PPO with OpenRLHF on Ray, vLLM and DeepSpeed, on GPUs."""

    engine: Literal["openrlhf"] = Field(description="openrlhf (OpenRLHF on Ray, vLLM and DeepSpeed, on GPUs)")
    steps: Count = Field(
        description="training steps, the same for every method, one rollout batch each; 175 are 21 visits of each "
        "of the paper's prompts"
    )
    prompts_per_step: Count = Field(description="prompts in a rollout batch (paper: 1,024)")
    samples_per_prompt: Count = Field(description="responses to a prompt at each visit (paper: 8)")
    temperature: Temperature = Field(description="sampling temperature of the rollouts (paper: 1.2)")
    max_prompt_tokens: Count = Field(
        description="longest prompt, in tokens with the chat template; a longer one stops the run (released script: "
        "1,024, --prompt_max_len)"
    )
    max_response_tokens: Count = Field(
        description="longest response, in tokens (paper: 3,072; released script: --generate_max_len)"
    )
    mini_batch_size: Count = Field(description="responses in an optimiser step (paper: 256)")
    actor_learning_rate: LearningRate = Field(description="highest learning rate of the policy (paper: 5e-7)")
    critic_learning_rate: LearningRate = Field(description="highest learning rate of the value function (paper: 9e-6)")
    warmup_updates: int = Field(
        ge=0,
        lt=2**31,
        description="optimiser steps over which the learning rates rise (released script: 10, --lr_warmup_steps)",
    )
    kl_coefficient: Positive = Field(
        description="weight of the per-token KL penalty (paper: 0.01; released script: --init_kl_coef)"
    )
    gae_lambda: Share = Field(
        description="lambda of generalised advantage estimation (paper: 0.95; released script: --lambd)"
    )
    discount: Share = Field(description="gamma (paper: 1; released script: --gamma)")
    clip: Positive = Field(description="half-width of the policy's clip range (paper: 0.2, --eps_clip)")
    value_clip: Positive = Field(
        description="half-width of the value function's clip range (paper: 0.2; the default of OpenRLHF 0.11.2: 0.5)"
    )
    gradient_clip: Positive = Field(description="largest norm of a gradient (released script: 1.0, --max_norm)")
    evaluation_interval: Count = Field(description="steps between two evaluations on the development set")
    checkpoint_interval: Count = Field(description="steps between two checkpoints")
    checkpoints_to_resume_from: int = Field(
        ge=2,
        lt=2**31,
        description="how many of the newest checkpoints keep their optimiser states; all keep their weights",
    )
    nodes: Count = Field(
        description="machines; more than one need a SLURM job, or a Ray cluster that RAY_ADDRESS names"
    )
    gpus_per_node: Count = Field(description="GPUs of each machine")
    zero_stage: int = Field(
        ge=2, le=3, description="how DeepSpeed shards a model over the GPUs: ZeRO stage 2 or 3 (paper: 3)"
    )
    offload_optimizer: bool = Field(
        description="keep the optimiser's states in the machine's memory and update there: slower, for small GPUs "
        "(released script: --adam_offload)"
    )
    train_micro_batch_size: Count = Field(description="responses in one training pass of a GPU")
    rollout_micro_batch_size: Count = Field(description="responses in one forward pass of a GPU before training")
    tensor_parallel_size: Count = Field(description="GPUs of one vLLM engine")
    gpu_memory_utilization: SomeShare = Field(description="share of a GPU's memory that vLLM takes while it generates")
    patience_minutes: Positive = Field(
        description="minutes without a line in OpenRLHF's log after which the run is stopped with an error"
    )
    arguments: Arguments = Field(
        default_factory=dict,
        description="further arguments of OpenRLHF by name, e.g. ds.zpg: 8; true gives a flag, false removes a default",
    )

    @property
    def gpus(self) -> int:
        """GPUs of all machines."""
        return self.nodes * self.gpus_per_node

    @property
    def rows(self) -> int:
        """Prompts of all steps of a run. A prompt counts once for each visit."""
        return self.steps * self.prompts_per_step

    @property
    def rollouts_per_step(self) -> int:
        """Responses in a rollout batch."""
        return self.prompts_per_step * self.samples_per_prompt

    @property
    def updates(self) -> int:
        """Optimiser steps of a whole run, as OpenRLHF counts them (``prepare_datasets`` in its ppo_trainer.py)."""
        return self.rows * self.samples_per_prompt // self.mini_batch_size


class OpenRLHFSettings(OpenRLHFSection):
    """The section `training`, and the settings of other sections that training reads."""

    reward_rule: str = Field(description="`reward.rule` of the configuration")
    grader: str | None = Field(default=None, description="`reward.grader` of the configuration; not given if default")
    system_prompt: str | None = Field(default=None, description="`base_model.system_prompt` of the configuration")
