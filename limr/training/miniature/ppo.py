"""Proximal policy optimisation (Schulman et al. 2017) on response tokens: rewards, advantages and losses.

Per-token tensors are (responses, tokens) with a mask that is True on real tokens, or flat over the real tokens.
All log-probabilities are in nats and at the temperature of the rollouts; the fork of OpenRLHF that the paper's authors
trained with (arXiv 2502.11886) computes them at temperature 1. Losses are means over the tokens of a mini-batch; the
fork's are means over the tokens of a micro-batch, because its script packs samples.
"""

import torch
from torch import Tensor


def token_rewards(rewards: Tensor, log_ratio: Tensor, mask: Tensor, kl_coefficient: float) -> Tensor:
    """The response's reward on its last token, less the KL penalty on every token: (responses, tokens).

    ``rewards``: (responses,). ``log_ratio``: log pi(token) - log pi_reference(token), (responses, tokens), the
    one-sample estimate of the KL divergence. Each response has at least one token.
    """
    shaped = -kl_coefficient * log_ratio * mask
    last = mask.sum(1) - 1
    shaped[torch.arange(len(rewards), device=rewards.device), last] += rewards
    return shaped


def generalized_advantages(
    rewards: Tensor, values: Tensor, mask: Tensor, discount: float, gae_lambda: float
) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimates and returns (Schulman et al. 2016, equation 16), zero on padding.

    ``rewards`` and ``values``: (responses, tokens); the value after a response's last token is 0.
    """
    values = values * mask
    following = torch.cat([values[:, 1:], torch.zeros_like(values[:, :1])], dim=1)
    errors = (rewards + discount * following - values) * mask
    advantages = torch.zeros_like(values)
    running = torch.zeros_like(values[:, 0])
    for token in reversed(range(values.shape[1])):
        running = errors[:, token] + discount * gae_lambda * running
        advantages[:, token] = running
    return advantages, advantages + values


def normalise(advantages: Tensor, mask: Tensor) -> Tensor:
    """Advantages with mean 0 and variance 1 over the real tokens, zero on padding."""
    real = advantages[mask]
    return (advantages - real.mean()) / (real.std(correction=0) + 1e-8) * mask


def policy_loss(
    log_probabilities: Tensor, old_log_probabilities: Tensor, advantages: Tensor, clip: float
) -> tuple[Tensor, Tensor]:
    """Clipped surrogate loss (Schulman et al. 2017, equation 7), mean over tokens, and the share of clipped tokens.

    All inputs are flat over the real tokens.
    """
    ratio = (log_probabilities - old_log_probabilities).exp()
    unclipped = -ratio * advantages
    clipped = -ratio.clamp(1 - clip, 1 + clip) * advantages
    return torch.maximum(unclipped, clipped).mean(), (clipped > unclipped).float().mean()


def value_loss(values: Tensor, old_values: Tensor, returns: Tensor, clip: float) -> Tensor:
    """Half the squared error to the returns, mean over the tokens.

    For each token, the larger of the two errors counts: that of the value and that of the clipped value.
    """
    clipped = old_values + (values - old_values).clamp(-clip, clip)
    return 0.5 * torch.maximum((values - returns) ** 2, (clipped - returns) ** 2).mean()
