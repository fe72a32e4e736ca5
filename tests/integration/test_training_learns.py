"""PPO on simple bandit rewards: the policy learns the rewarded responses, but not with a tiny learning rate."""

import polars as pl
import pytest

from limr.files.contracts import read_parquet, write_parquet
from limr.grading.reward import Verdict
from limr.training.miniature.tokenizer import BOX

QUICK = {
    "steps": 30,
    "prompts_per_step": 16,
    "samples_per_prompt": 8,
    "mini_batch_size": 64,
    "max_response_tokens": 2,
    "actor_learning_rate": 0.003,
    "critic_learning_rate": 0.003,
    "temperature": 1.0,
    "kl_coefficient": 0.0,
    "evaluation_interval": 100,
    "checkpoint_interval": 100,
}


@pytest.fixture
def rewarded(monkeypatch):
    """Replace the reward: 1 where ``rule(response, gold)`` holds, -1 elsewhere."""

    def use(rule):
        def toy(response, gold, truncated, reward_rule, grader):
            assert reward_rule == "paper"
            right = rule(response, gold)
            return Verdict(1.0 if right else -1.0, None, right, right, "toy")

        monkeypatch.setattr("limr.training.miniature.graded_rollouts.grade", toy)

    return use


def curve(outputs, column="reward"):
    return read_parquet(outputs["metrics"], "metrics")[column].to_list()


def is_lucky(response, gold):
    """A rule that the base model's responses satisfy only by chance, in a few of a hundred."""
    return response.startswith("7")


def mean(values):
    return sum(values) / len(values)


def test_a_rewarded_response_is_learned_from_chance_to_near_the_maximum(world, rewarded, tmp_path):
    rewarded(is_lucky)
    rewards = curve(world.train(tmp_path, **QUICK))
    assert rewards[0] < -0.7
    assert mean(rewards[-3:]) > 0.9


def test_a_response_rewarded_on_some_prompts_is_learned_for_those_prompts(world, rewarded, tmp_path):
    """A bandit with two arms: the prompt shows which arm is rewarded. The same arm for all prompts earns at most 0."""
    subset = read_parquet(world.subset, "subset")
    first = pl.col("prompt").str.starts_with("F").or_(pl.col("prompt").str.starts_with("f"))
    arms = pl.concat([subset.filter(first).head(12), subset.filter(~first).head(12)])
    assert len(arms) == 24
    write_parquet(arms.with_columns(answer=pl.when(first).then(pl.lit("box")).otherwise(pl.lit("number"))),
                  tmp_path / "arms.parquet", "subset")  # fmt: skip
    rewarded(lambda response, gold: response.startswith(BOX) if gold == "box" else response[:1].isdigit())
    two_armed = type(world)(world.model, tmp_path / "arms.parquet", world.development, world.settings, {})
    rewards = curve(two_armed.train(tmp_path, **QUICK | {"steps": 40}))
    assert rewards[0] < 0.3
    assert mean(rewards[-3:]) > 0.8


def test_with_a_vanishing_learning_rate_nothing_is_learned(world, rewarded, tmp_path):
    rewarded(is_lucky)
    rewards = curve(world.train(tmp_path, **QUICK | {"actor_learning_rate": 1e-30}))
    assert abs(mean(rewards[-3:]) - mean(rewards[:3])) < 0.2
    assert (tmp_path / "model" / "model.safetensors").read_bytes() == (world.model / "model.safetensors").read_bytes()


def test_the_kl_penalty_keeps_the_policy_near_the_reference(world, rewarded, tmp_path):
    rewarded(is_lucky)
    free, held = (
        world.train(tmp_path / str(coefficient), **QUICK | {"kl_coefficient": coefficient})
        for coefficient in (0.0, 5.0)
    )
    assert mean(curve(held, "kl")[-3:]) < mean(curve(free, "kl")[-3:]) / 3
    assert mean(curve(held)[-3:]) < mean(curve(free)[-3:])
    assert curve(free, "kl")[0] == pytest.approx(0.0, abs=1e-5)  # the policy starts as the reference
