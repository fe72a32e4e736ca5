"""PPO's formulas equal plain Python loops written from the papers' definitions."""

import math
import statistics

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from plain_ppo import brute_force_advantages

from limr.training.miniature.ppo import generalized_advantages, normalise, policy_loss, token_rewards, value_loss

SMALL = st.floats(-3, 3)
UNIT = st.floats(0, 1)
# a batch: ragged responses of (first, second) pairs, one pair per token
RAGGED = st.lists(st.lists(st.tuples(SMALL, SMALL), min_size=1, max_size=6), min_size=1, max_size=4)
# flat tokens: new, old, third
FLAT = st.lists(st.tuples(SMALL, SMALL, SMALL), min_size=1, max_size=12)
SIGNED = st.one_of(st.floats(1e-5, 3.0), st.floats(-3.0, -1e-5))  # at 0 a surrogate has two gradients
FLAT_SIGNED = st.lists(st.tuples(SMALL, SMALL, SIGNED), min_size=1, max_size=12)


def padded(rows, filling, extra=0):
    """Right-padded float64 tensor and mask; the padding holds ``filling``."""
    length = max(map(len, rows)) + extra
    mask = torch.tensor([[column < len(row) for column in range(length)] for row in rows])
    values = [[*row, *[filling] * (length - len(row))] for row in rows]
    return torch.tensor(values, dtype=torch.float64), mask


def assert_rows(tensor, rows):
    """``tensor`` holds ``rows`` and zeros on the padding."""
    expected, _ = padded(rows, 0.0, extra=tensor.shape[1] - max(map(len, rows)))
    torch.testing.assert_close(tensor, expected)


def columns(batch, index):
    return [[pair[index] for pair in row] for row in batch]


@given(RAGGED, st.lists(SMALL, min_size=4, max_size=4), UNIT, SMALL, st.integers(0, 2))
def test_token_rewards_are_the_reward_on_the_last_token_less_the_penalty_on_each(batch, rewards, beta, junk, extra):
    rewards = rewards[: len(batch)]
    ratios = columns(batch, 0)
    expected = []
    for ratio, reward in zip(ratios, rewards, strict=True):
        row = [-beta * value for value in ratio]
        row[-1] += reward
        expected.append(row)
    log_ratio, mask = padded(ratios, junk, extra)
    assert_rows(token_rewards(torch.tensor(rewards, dtype=torch.float64), log_ratio, mask, beta), expected)


@given(RAGGED, UNIT, UNIT, SMALL, st.integers(0, 2))
def test_generalized_advantages_are_the_discounted_sums_of_later_errors(batch, discount, gae_lambda, junk, extra):
    rows = list(zip(columns(batch, 0), columns(batch, 1), strict=True))
    expected = [brute_force_advantages(*row, discount, gae_lambda) for row in rows]
    returns = [
        [advantage + value for advantage, value in zip(advantages, values, strict=True)]
        for advantages, (_, values) in zip(expected, rows, strict=True)
    ]
    rewards, mask = padded(columns(batch, 0), junk, extra)
    values, _ = padded(columns(batch, 1), -junk, extra)
    found, found_returns = generalized_advantages(rewards, values, mask, discount, gae_lambda)
    assert_rows(found, expected)
    assert_rows(found_returns, returns)


@given(RAGGED)
def test_with_lambda_and_discount_one_the_return_is_the_sum_of_later_rewards(batch):
    rewards, mask = padded(columns(batch, 0), 0.0)
    values, _ = padded(columns(batch, 1), 0.0)
    _, returns = generalized_advantages(rewards, values, mask, 1.0, 1.0)
    assert_rows(returns, [[sum(row[token:]) for token in range(len(row))] for row in columns(batch, 0)])


@given(RAGGED, SMALL, st.integers(0, 2))
def test_normalised_advantages_have_mean_0_and_variance_1_over_the_real_tokens(batch, junk, extra):
    rows = columns(batch, 0)
    real = [value for row in rows for value in row]
    deviation = statistics.pstdev(real)
    assume(deviation > 1e-3)
    advantages, mask = padded(rows, junk, extra)
    mean = statistics.fmean(real)
    expected = [[(value - mean) / (deviation + 1e-8) for value in row] for row in rows]
    assert_rows(normalise(advantages, mask), expected)


def test_equal_advantages_normalise_to_almost_zero():
    advantages, mask = padded([[0.1, 0.1, 0.1], [0.1]], 7.0)
    assert normalise(advantages, mask).abs().max() < 1e-6


def flat(tokens):
    return (torch.tensor(column, dtype=torch.float64) for column in zip(*tokens, strict=True))


def is_clipped(ratio, advantage, clip):
    """Whether the ratio has passed the clip range in the advantage's direction, so the surrogate is constant."""
    return (advantage > 0 and ratio > 1 + clip) or (advantage < 0 and ratio < 1 - clip)


@given(FLAT_SIGNED, st.floats(0.05, 0.5))
def test_policy_loss_and_gradient_are_the_clipped_surrogates(tokens, clip):
    ratios = [math.exp(new - old) for new, old, _ in tokens]
    assume(all(abs(abs(ratio - 1) - clip) > 1e-6 for ratio in ratios))
    loss, gradient, clipped = 0.0, [], 0
    for ratio, (*_, advantage) in zip(ratios, tokens, strict=True):
        loss -= min(ratio * advantage, min(max(ratio, 1 - clip), 1 + clip) * advantage) / len(tokens)
        stopped = is_clipped(ratio, advantage, clip)
        clipped += stopped
        gradient.append(0.0 if stopped else -ratio * advantage / len(tokens))

    new, old, advantages = flat(tokens)
    found, share = policy_loss(new.requires_grad_(), old, advantages, clip)
    found.backward()
    assert found.item() == pytest.approx(loss, abs=1e-9)
    assert share.item() == pytest.approx(clipped / len(tokens))
    assert new.grad.tolist() == pytest.approx(gradient, abs=1e-9)


def test_clipped_tokens_pass_no_gradient_and_the_others_do():
    old = torch.zeros(4, dtype=torch.float64)
    new = torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.float64, requires_grad=True)
    loss, share = policy_loss(new, old, torch.tensor([1.0, -1.0, -1.0, 1.0], dtype=torch.float64), 0.2)
    loss.backward()
    assert [value == 0 for value in new.grad.tolist()] == [True, True, False, False]
    assert share.item() == 0.5


@given(FLAT, st.floats(0.05, 0.5))
def test_value_loss_and_gradient_are_the_clipped_squared_errors(tokens, clip):
    loss, gradient = 0.0, []
    for value, old, target in tokens:
        moved = min(max(value, old - clip), old + clip)
        outside = moved != value
        assume(abs(abs(value - old) - clip) > 1e-6)
        plain, held = (value - target) ** 2, (moved - target) ** 2
        assume(not outside or abs(plain - held) > 1e-6)
        loss += 0.5 * max(plain, held) / len(tokens)
        gradient.append(0.0 if outside and held > plain else (value - target) / len(tokens))

    values, old, returns = flat(tokens)
    found = value_loss(values.requires_grad_(), old, returns, clip)
    found.backward()
    assert found.item() == pytest.approx(loss, abs=1e-9)
    assert values.grad.tolist() == pytest.approx(gradient, abs=1e-9)
