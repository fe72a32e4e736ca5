"""PPO's formulas as plain loops, written as in the papers."""


def brute_force_advantages(rewards, values, discount, gae_lambda):
    """The sum over all later steps of (discount * lambda)^l times the temporal-difference error."""
    tokens = len(rewards)
    advantages = []
    for start in range(tokens):
        total = 0.0
        for token in range(start, tokens):
            following = values[token + 1] if token + 1 < tokens else 0.0
            error = rewards[token] + discount * following - values[token]
            total += (discount * gae_lambda) ** (token - start) * error
        advantages.append(total)
    return advantages
