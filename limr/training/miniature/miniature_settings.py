"""The ``training`` section of the configuration, as the miniature engine reads it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainingSettings:
    """PPO settings, described in ``schemas/config.schema.json``; ``reward_rule`` is the ``rule`` of its ``reward``."""

    engine: str
    threads: int
    steps: int
    prompts_per_step: int
    samples_per_prompt: int
    temperature: float
    max_response_tokens: int
    mini_batch_size: int
    actor_learning_rate: float
    critic_learning_rate: float
    warmup_steps: int
    kl_coefficient: float
    gae_lambda: float
    discount: float
    clip: float
    value_clip: float
    gradient_clip: float
    evaluation_interval: int
    checkpoint_interval: int
    reward_rule: str
