"""The ``training`` section of the configuration, as the OpenRLHF engine reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Argument = bool | int | float | str

# what may change between a run that was stopped and the one that resumes it: how fast it runs, not what it trains
MACHINE = ("train_micro_batch_size", "rollout_micro_batch_size", "gpu_memory_utilization", "patience_minutes")


@dataclass(frozen=True)
class OpenRLHFSettings:
    """PPO settings and the machines, described in ``schemas/config.schema.json``.

    In brackets: the paper's value (arXiv 2502.11886). With dashes: the flag of the released training script.
    """

    engine: str
    steps: int  # rollout batches; 175 are the probe's 21 visits of each prompt
    prompts_per_step: int  # rollout batch (1,024)
    samples_per_prompt: int  # (8)
    temperature: float  # of the rollouts (1.2)
    max_prompt_tokens: int  # --prompt_max_len 1024
    max_response_tokens: int  # --generate_max_len 3072
    mini_batch_size: int  # responses an optimiser step (256)
    actor_learning_rate: float  # (5e-7)
    critic_learning_rate: float  # (9e-6)
    warmup_updates: int  # optimiser steps; --lr_warmup_steps 10
    kl_coefficient: float  # --init_kl_coef 0.01
    gae_lambda: float  # --lambd 0.95
    discount: float  # --gamma 1
    clip: float  # --eps_clip 0.2
    value_clip: float  # --value_clip 0.2; the default of OpenRLHF has become 0.5
    gradient_clip: float  # --max_norm 1.0
    evaluation_interval: int  # steps between two looks at the development set
    checkpoint_interval: int  # steps between two checkpoints
    checkpoints_to_resume_from: int  # how many are kept with their optimiser states; at least two
    nodes: int
    gpus_per_node: int
    zero_stage: int  # bf16, ZeRO-3
    offload_optimizer: bool  # --adam_offload
    train_micro_batch_size: int  # responses a GPU and backward pass
    rollout_micro_batch_size: int  # responses a GPU and forward pass
    tensor_parallel_size: int  # GPUs a vLLM engine
    gpu_memory_utilization: float  # vLLM's share of a GPU
    patience_minutes: float  # without a sign of life, after which a run is stopped
    reward_rule: str  # ``reward.rule`` of the configuration
    system_prompt: str | None = None  # ``base_model.system_prompt`` of the configuration
    arguments: Mapping[str, Argument] = field(default_factory=dict)  # further arguments of OpenRLHF, laid over ours

    @property
    def gpus(self) -> int:
        return self.nodes * self.gpus_per_node

    @property
    def rows(self) -> int:
        """Prompts that a whole run meets, each counted as often as it is met."""
        return self.steps * self.prompts_per_step

    @property
    def updates(self) -> int:
        """Optimiser steps of a whole run, as OpenRLHF counts them (``prepare_datasets`` of its ppo_trainer.py)."""
        return self.rows * self.samples_per_prompt // self.mini_batch_size
