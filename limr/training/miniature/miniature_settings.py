"""The settings of the miniature engine: pre-training of its base model, and PPO."""

from typing import Literal

from pydantic import Field

from limr.settings import Count, LearningRate, NotNegative, Positive, Seed, Settings, Share, Temperature, Threads

_THREADS = "torch's threads, independent of --cores; another number rounds differently and gives another table"


class PretrainingSettings(Settings):
    """Pre-training of the miniature's base model."""

    seed: Seed = Field(description="seed of the weights and of the corpus")
    threads: Threads = Field(description=_THREADS)
    hidden_size: Count = Field(description="width")
    intermediate_size: Count = Field(description="width of the feed-forward layers")
    num_hidden_layers: Count = Field(description="number of layers")
    num_attention_heads: Count = Field(description="number of query heads")
    num_key_value_heads: Count = Field(description="number of key and value heads")
    practice: Share = Field(description="share of the corpus that is bare arithmetic practice")
    guided: Share = Field(description="share of the corpus that asks for the steps of the solution")
    worked: Share = Field(description="share of the answers that are worked out")
    boxed: Share = Field(description="share of the answers that are boxed")
    wrong: Share = Field(description="share of the answers that are changed to a wrong one")
    mistakes: list[Share] = Field(
        min_length=5,
        max_length=5,
        description="for each level, the share of the solutions that make the common mistake of the subject",
    )
    reworded: Share = Field(
        default=0.0, description="share of the problems that are asked in the other wording, for benchmarks that use it"
    )
    steps: Count = Field(description="optimiser steps")
    batch_size: Count = Field(description="examples in each step")
    learning_rate: LearningRate = Field(description="highest learning rate")


class MiniatureSection(Settings):
    """PPO with the miniature engine: torch, in one process."""

    engine: Literal["miniature"] = Field(description="miniature (PPO on torch, in one process)")
    threads: Threads = Field(description=_THREADS)
    steps: Count = Field(description="training steps, the same for every method")
    prompts_per_step: Count = Field(description="prompts in each step")
    samples_per_prompt: Count = Field(description="responses to a prompt at each visit (paper: 8)")
    temperature: Temperature = Field(description="sampling temperature of the rollouts (paper: 1.2)")
    max_response_tokens: Count = Field(description="longest response, in tokens")
    mini_batch_size: Count = Field(description="responses in a mini-batch")
    actor_learning_rate: LearningRate = Field(description="highest learning rate of the policy")
    critic_learning_rate: LearningRate = Field(description="highest learning rate of the value function")
    warmup_steps: int = Field(ge=0, lt=2**31, description="steps over which the learning rates rise")
    kl_coefficient: NotNegative = Field(description="weight of the per-token KL penalty (paper: 0.01)")
    gae_lambda: Share = Field(description="lambda of generalised advantage estimation (paper: 0.95)")
    discount: Share = Field(description="gamma (paper: 1)")
    clip: Positive = Field(description="half-width of the policy's clip range (paper: 0.2)")
    value_clip: Positive = Field(description="half-width of the value function's clip range (paper: 0.2)")
    gradient_clip: Positive = Field(description="largest norm of a gradient")
    evaluation_interval: Count = Field(description="steps between two evaluations on the development set")
    checkpoint_interval: Count = Field(description="steps between two checkpoints")


class MiniatureSettings(MiniatureSection):
    """The section `training`, and the settings of other sections that training reads."""

    reward_rule: str = Field(description="`reward.rule` of the configuration")
    grader: str | None = Field(default=None, description="`reward.grader` of the configuration; not given if default")
