"""The updates of PPO from one step's rollouts: actor, critic and frozen reference.

The critic is a small network on the hidden states of the frozen reference. The reference runs once in any case, for the
KL penalty, so values cost almost nothing. Training the critic does not change the actor.

A mini-batch holds whole prompt groups: all responses to each of its prompts. Log-probabilities are computed at the
temperature of the rollouts (``logits / temperature``), so a policy that has not changed yet has a ratio of 1.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from limr.training.miniature.batches import flatten, log_probabilities, unflatten
from limr.training.miniature.graded_rollouts import Rollouts
from limr.training.miniature.miniature_settings import MiniatureSettings
from limr.training.miniature.model import TinyQwen2
from limr.training.miniature.ppo import generalized_advantages, normalise, policy_loss, token_rewards, value_loss

CRITIC_WIDTH = 4  # of the hidden layer, in hidden sizes of the model
ADAM_BETAS = (0.9, 0.95)  # those of OpenRLHF


@dataclass(frozen=True)
class Experience:
    """Inputs of the updates of one step.

    ``features``: the critic's input, the reference's hidden states, (responses, tokens, hidden). ``values``,
    ``advantages`` (normalised) and ``returns``: (responses, tokens), right-padded. ``kl``: the estimated KL divergence
    from the reference, mean over the tokens, in nats.
    """

    rollouts: Rollouts
    features: Tensor
    values: Tensor
    advantages: Tensor
    returns: Tensor
    kl: float


class Learner:
    """Actor, critic, reference and their optimisers."""

    def __init__(self, actor: TinyQwen2, reference: TinyQwen2, settings: MiniatureSettings) -> None:
        hidden = actor.shape.hidden_size
        self.settings = settings
        self.actor = actor
        self.reference = reference.requires_grad_(False)
        self.critic = nn.Sequential(
            nn.Linear(hidden, CRITIC_WIDTH * hidden), nn.SiLU(), nn.Linear(CRITIC_WIDTH * hidden, 1)
        )
        nn.init.zeros_(self.critic[-1].weight)
        self.actor_optimizer = _adam(actor, settings.actor_learning_rate)
        self.critic_optimizer = _adam(self.critic, settings.critic_learning_rate)

    def learn(self, rollouts: Rollouts, step: int, shuffle: torch.Generator) -> dict[str, float]:
        """Update actor and critic on the rollouts of ``step``. Returns the step's losses and diagnostics.

        ``shuffle`` draws the order of the prompt groups. Losses are means over the mini-batches. The learning rates
        rise linearly during the first ``warmup_steps`` steps.
        """
        factor = min((step + 1) / self.settings.warmup_steps, 1.0) if self.settings.warmup_steps else 1.0
        self.actor_optimizer.param_groups[0]["lr"] = self.settings.actor_learning_rate * factor
        self.critic_optimizer.param_groups[0]["lr"] = self.settings.critic_learning_rate * factor
        experience = self._compute_advantages(rollouts)
        samples = self.settings.samples_per_prompt
        order = torch.randperm(len(rollouts.prompts), generator=shuffle)
        updates = [self._update(experience, groups) for groups in order.split(self.settings.mini_batch_size // samples)]
        means = torch.tensor(updates).mean(0).tolist()
        names = ("policy_loss", "value_loss", "clip_fraction", "gradient_norm")
        return dict(zip(names, means, strict=True)) | {
            "kl": experience.kl,
            "learning_rate": self.settings.actor_learning_rate * factor,
        }

    @torch.no_grad()
    def _compute_advantages(self, rollouts: Rollouts) -> Experience:
        """Reference log-probabilities, values, rewards with the KL penalty, advantages and returns."""
        settings, mask = self.settings, rollouts.responses.mask
        # chunks as large as a mini-batch: their tensors stay in the processor's cache
        chunks = torch.arange(len(rollouts.prompts)).split(settings.mini_batch_size // settings.samples_per_prompt)
        passes = [self._reference_pass(rollouts, groups) for groups in chunks]
        features, reference, values = (torch.cat(parts) for parts in zip(*passes, strict=True))
        log_ratio = (rollouts.responses.log_probabilities - reference) * mask
        rewards = token_rewards(rollouts.rewards, log_ratio, mask, settings.kl_coefficient)
        advantages, returns = generalized_advantages(rewards, values, mask, settings.discount, settings.gae_lambda)
        kl = float(log_ratio.sum() / mask.sum())
        return Experience(rollouts, features, values, normalise(advantages, mask), returns, kl)

    def _reference_pass(self, rollouts: Rollouts, groups: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Hidden states and log-probabilities of the reference, and the critic's values, for the prompts ``groups``."""
        rows = _rows(groups, self.settings.samples_per_prompt)
        tokens, mask = rollouts.responses.tokens[rows], rollouts.responses.mask[rows]
        hidden = self.reference.response_states(rollouts.prompts[groups], rollouts.prompt_mask[groups], tokens, mask)
        logits = self.reference.logits(hidden) / self.settings.temperature
        flat = (hidden, log_probabilities(logits, flatten(tokens, mask)), self.critic(hidden)[:, 0])
        return tuple(unflatten(part, mask) for part in flat)

    def _update(self, experience: Experience, groups: Tensor) -> tuple[float, float, float, float]:
        """One gradient step of actor and critic on the rollouts of the prompts ``groups``.

        Returns policy loss, value loss, the share of clipped tokens, and the norm of the actor's gradient.
        """
        settings, rollouts = self.settings, experience.rollouts
        rows = _rows(groups, settings.samples_per_prompt)
        longest = int(rollouts.responses.mask[rows].sum(1).max())
        mask = rollouts.responses.mask[rows, :longest]

        def real(padded: Tensor) -> Tensor:
            """The mini-batch's real tokens, flat."""
            return flatten(padded[rows, :longest], mask)

        tokens = rollouts.responses.tokens[rows, :longest]
        hidden = self.actor.response_states(rollouts.prompts[groups], rollouts.prompt_mask[groups], tokens, mask)
        logits = self.actor.logits(hidden) / settings.temperature
        new = log_probabilities(logits, flatten(tokens, mask))
        loss, clip_fraction = policy_loss(
            new, real(rollouts.responses.log_probabilities), real(experience.advantages), settings.clip
        )
        gradient_norm = _step(loss, self.actor, self.actor_optimizer, settings.gradient_clip)
        values = self.critic(real(experience.features))[:, 0]
        critic_loss = value_loss(values, real(experience.values), real(experience.returns), settings.value_clip)
        _step(critic_loss, self.critic, self.critic_optimizer, settings.gradient_clip)
        return loss.item(), critic_loss.item(), clip_fraction.item(), gradient_norm

    def state(self) -> dict[str, dict]:
        """Everything that training changes, for ``load_state``."""
        return {name: part.state_dict() for name, part in self._parts().items()}

    def load_state(self, state: dict[str, dict]) -> None:
        """Restore the parts from a result of ``state``."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, nn.Module | torch.optim.Optimizer]:
        return {
            "actor": self.actor,
            "critic": self.critic,
            "actor_optimizer": self.actor_optimizer,
            "critic_optimizer": self.critic_optimizer,
        }


def _rows(groups: Tensor, samples: int) -> Tensor:
    """The rows of the responses to the prompts ``groups``, ``samples`` for each."""
    return (groups[:, None] * samples + torch.arange(samples)).flatten()


def _adam(module: nn.Module, learning_rate: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(module.parameters(), lr=learning_rate, betas=ADAM_BETAS, weight_decay=0.0, fused=True)


def _step(loss: Tensor, module: nn.Module, optimizer: torch.optim.Optimizer, clip: float) -> float:
    """One optimiser step, with the gradient clipped to norm ``clip``. Returns the norm before clipping."""
    optimizer.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(module.parameters(), clip)
    optimizer.step()
    return norm.item()
