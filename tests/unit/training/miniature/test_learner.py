"""One PPO step equals a loop over single responses: the gradient, the diagnostics, the learning rates, the state."""

import copy
import math
import statistics

import pytest
import torch
from plain_ppo import brute_force_advantages
from small_models import PROMPTS, random_model

from limr.training.miniature.batches import pad
from limr.training.miniature.generate import generate
from limr.training.miniature.graded_rollouts import Rollouts
from limr.training.miniature.learner import Learner
from limr.training.miniature.miniature_settings import MiniatureSettings

SAMPLES, LENGTH, END = 3, 6, 7
SETTINGS = MiniatureSettings(
    engine="miniature",
    threads=1,
    steps=10,
    prompts_per_step=len(PROMPTS),
    samples_per_prompt=SAMPLES,
    temperature=1.3,
    max_response_tokens=LENGTH,
    mini_batch_size=len(PROMPTS) * SAMPLES,
    actor_learning_rate=0.01,
    critic_learning_rate=0.01,
    warmup_steps=4,
    kl_coefficient=0.1,
    gae_lambda=0.9,
    discount=0.95,
    clip=0.2,
    value_clip=0.2,
    gradient_clip=1e9,
    evaluation_interval=1,
    checkpoint_interval=1,
    reward_rule="paper",
)


@pytest.fixture
def learner():
    """An actor that differs from its reference, and a critic with values other than 0."""
    learner = Learner(random_model(seed=0), random_model(seed=1), SETTINGS)
    torch.nn.init.normal_(learner.critic[-1].weight, std=0.5)
    return learner


@pytest.fixture
def rollouts(learner):
    prompts, prompt_mask = pad(PROMPTS)
    uniforms = torch.rand(len(PROMPTS) * SAMPLES, LENGTH, generator=torch.Generator().manual_seed(2))
    responses = generate(learner.actor, prompts, prompt_mask, SAMPLES, LENGTH, SETTINGS.temperature, END, uniforms)
    rewards = torch.tensor([1.0, -0.5, -1.0] * len(PROMPTS))
    return Rollouts(prompts, prompt_mask, responses, rewards, table=None)


def unbatched(model, prompt, response):
    """Hidden states that predict ``response``, and the log-probabilities of its tokens, from one sequence alone."""
    hidden, _ = model.prompt_states(*pad([prompt + response]))
    states = hidden[0, len(prompt) - 1 : -1]
    log_probs = (model.logits(states) / SETTINGS.temperature).log_softmax(-1)
    return states, log_probs[torch.arange(len(response)), response]


def computed_one_by_one(learner, rollouts):
    """The loss of the first update and the mean KL estimate, computed response by response."""
    advantages, new, ratios = [], [], []
    for row, reward in enumerate(rollouts.rewards.tolist()):
        prompt = PROMPTS[row // SAMPLES]
        response = rollouts.responses.tokens[row][rollouts.responses.mask[row]].tolist()
        _, actor = unbatched(learner.actor, prompt, response)
        states, reference = unbatched(learner.reference, prompt, response)
        log_ratio = (actor - reference).tolist()
        rewards = [-SETTINGS.kl_coefficient * value for value in log_ratio]
        rewards[-1] += reward
        values = learner.critic(states)[:, 0].tolist()
        advantages += brute_force_advantages(rewards, values, SETTINGS.discount, SETTINGS.gae_lambda)
        new.append(actor)
        ratios += log_ratio
    mean, deviation = statistics.fmean(advantages), statistics.pstdev(advantages)
    normalised = torch.tensor([(value - mean) / deviation for value in advantages])
    log_probs = torch.cat(new)
    surrogate = -((log_probs - log_probs.detach()).exp() * normalised).mean()
    return surrogate, statistics.fmean(ratios)


def test_the_first_update_has_the_gradient_computed_response_by_response(learner, rollouts):
    loss, kl = computed_one_by_one(learner, rollouts)
    names, parameters = zip(*learner.actor.named_parameters(), strict=True)
    expected = dict(zip(names, torch.autograd.grad(loss, parameters), strict=True))
    row = learner.learn(rollouts, 0, torch.Generator().manual_seed(0))
    for name, parameter in learner.actor.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name], rtol=1e-3, atol=1e-4)
    assert row["kl"] == pytest.approx(kl, abs=1e-4)
    assert row["policy_loss"] == pytest.approx(loss.item(), abs=1e-4)
    assert row["gradient_norm"] == pytest.approx(
        math.sqrt(sum(float((gradient**2).sum()) for gradient in expected.values())), rel=1e-3
    )
    assert row["clip_fraction"] == 0


def test_an_update_changes_actor_and_critic_but_not_the_reference(learner, rollouts):
    def copies():
        parts = (learner.reference, learner.actor, learner.critic)
        return [torch.cat([value.flatten() for value in part.state_dict().values()]) for part in parts]

    before = copies()
    learner.learn(rollouts, 0, torch.Generator().manual_seed(0))
    assert [torch.equal(old, new) for old, new in zip(before, copies(), strict=True)] == [True, False, False]


def test_the_critic_learns_the_returns(learner, rollouts):
    losses = [learner.learn(rollouts, step, torch.Generator().manual_seed(step))["value_loss"] for step in range(30)]
    assert losses[-1] < losses[0] / 2


def test_warm_up_raises_the_learning_rates_to_their_settings(learner, rollouts):
    rates = [learner.learn(rollouts, step, torch.Generator().manual_seed(0))["learning_rate"] for step in range(6)]
    assert rates == pytest.approx([0.0025, 0.005, 0.0075, 0.01, 0.01, 0.01])
    assert learner.critic_optimizer.param_groups[0]["lr"] == SETTINGS.critic_learning_rate


def test_the_gradient_is_clipped_to_the_largest_norm(rollouts):
    learner = Learner(random_model(seed=0), random_model(seed=1), SETTINGS.model_copy(update={"gradient_clip": 0.01}))
    row = learner.learn(rollouts, 0, torch.Generator().manual_seed(0))
    norm = torch.nn.utils.get_total_norm([parameter.grad for parameter in learner.actor.parameters()])
    assert norm.item() == pytest.approx(0.01, rel=1e-3)
    assert row["gradient_norm"] > 0.01


def test_mini_batches_cover_every_rollout_once(rollouts):
    learner = Learner(
        random_model(seed=0), random_model(seed=1), SETTINGS.model_copy(update={"mini_batch_size": SAMPLES})
    )
    seen, update = [], learner._update
    learner._update = lambda experience, groups: seen.append(groups.tolist()) or update(experience, groups)
    learner.learn(rollouts, 0, torch.Generator().manual_seed(0))
    assert all(len(groups) == 1 for groups in seen)
    assert sorted(group for groups in seen for group in groups) == list(range(len(PROMPTS)))


def test_a_restored_learner_continues_exactly_like_the_saved_one(learner, rollouts):
    learner.learn(rollouts, 0, torch.Generator().manual_seed(0))
    restored = Learner(random_model(seed=5), random_model(seed=1), SETTINGS)
    restored.load_state(copy.deepcopy(learner.state()))
    for one in (learner, restored):
        one.learn(rollouts, 1, torch.Generator().manual_seed(1))
    expected = learner.actor.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in restored.actor.state_dict().items())
