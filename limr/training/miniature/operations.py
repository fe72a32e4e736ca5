"""The operations of a transformer, written to pass over memory as few times as possible.

Why this file exists: at the miniature's sizes one elementwise pass costs about as much time as a matrix product, so
fewer passes mean faster training. tests/benchmarks/benchmark_ppo.py measures the training throughput.
tests/unit/training/miniature/test_model.py checks values and gradients against transformers' Qwen2.
"""

from typing import Any

import torch
from torch import Tensor


class _RMSNormalise(torch.autograd.Function):
    """x / root mean square of x. The gradient needs only the result and the inverse root mean square."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, epsilon: float) -> Tensor:
        inverse = x.square().mean(-1, keepdim=True).add_(epsilon).rsqrt_()
        normalised = x * inverse
        ctx.save_for_backward(normalised, inverse)
        return normalised

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        # d x = (g - y * mean(g * y)) * inverse, with y the normalised x
        normalised, inverse = ctx.saved_tensors
        along = (gradient * normalised).mean(-1, keepdim=True)
        return torch.addcmul(gradient, normalised, along, value=-1).mul_(inverse), None


class _Take(torch.autograd.Function):
    """``x[rows]`` for distinct rows: the backward pass copies the gradients. Indexing would add them up."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        ctx.length = len(x)
        return x.index_select(0, rows)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (rows,) = ctx.saved_tensors
        return gradient.new_zeros(ctx.length, *gradient.shape[1:]).index_copy_(0, rows, gradient), None


def rms_normalise(x: Tensor, epsilon: float) -> Tensor:
    """Root-mean-square normalisation over the last dimension. The norm's weight is merged into the next projection."""
    return _RMSNormalise.apply(x, epsilon)


def take(x: Tensor, rows: Tensor) -> Tensor:
    """``x[rows]``; no row may occur twice in ``rows``."""
    return _Take.apply(x, rows)


def pad_heads(x: Tensor, indices: Tensor, batch: int, length: int) -> Tensor:
    """Put tokens (tokens, heads, head size) into (batch, heads, length, head size), zero elsewhere.

    ``indices`` (tokens,): the position of each token in the flattened (batch, length).
    """
    _, heads, size = x.shape
    padded = x.new_zeros(batch * length, heads, size).index_copy(0, indices, x)
    return padded.view(batch, length, heads, size).transpose(1, 2)


def unpad_heads(x: Tensor, indices: Tensor) -> Tensor:
    """The inverse of ``pad_heads``, with the heads side by side: (tokens, heads * head size)."""
    return take(x.transpose(1, 2).flatten(0, 1).flatten(1), indices)


def interleave_halves(weight: Tensor, heads: int) -> Tensor:
    """Reorder the rows of a projection to ``heads`` heads: two numbers that are rotated together become neighbours.

    Queries and keys are reordered alike, so their products stay the same.
    """
    return weight.view(heads, 2, -1, *weight.shape[1:]).transpose(1, 2).reshape(weight.shape)


def rotate(x: Tensor, rotary: Tensor) -> Tensor:
    """Rotary positions (Su et al. 2021): multiply pairs of numbers, taken as complex numbers, by the rotary factors.

    ``x``: (tokens, heads, head size). ``rotary``: complex, (tokens, 1, head size / 2). Returns the shape of ``x``.
    """
    pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * rotary).flatten(-2)


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
    """Attention of scaled queries ``q`` (batch, heads, length, head size). Returns the shape of ``q``.

    ``k`` and ``v``: (batch, key-value heads, keys, head size). ``bias``: from ``causal_bias`` or ``response_bias``.

    The query heads that share a key-value head become queries of one attention, one head after another: this makes
    fewer and larger products. For sequences of some dozens of tokens it is twice as fast as torch's own attention on
    CPUs.
    """
    batch, heads, length, size = q.shape
    kv_heads = k.shape[1]
    q = q.reshape(batch * kv_heads, heads // kv_heads * length, size)
    scores = torch.baddbmm(bias, q, k.flatten(0, 1).transpose(1, 2))
    return torch.bmm(scores.softmax(-1), v.flatten(0, 1)).view(batch, heads, length, size)


def mask_bias(mask: Tensor) -> Tensor:
    """0 where ``mask`` is True, minus infinity elsewhere."""
    return torch.zeros(mask.shape, device=mask.device).masked_fill_(~mask, float("-inf"))


def causal_bias(length: int, sharing: int, device: torch.device) -> Tensor:
    """The bias of ``attend`` for right-padded sequences: (1, sharing * length, length).

    ``sharing``: query heads for each key-value head.
    """
    seen = torch.ones(length, length, dtype=torch.bool, device=device).tril()
    return mask_bias(seen).repeat(1, sharing, 1)


def response_bias(prompt_mask: Tensor, samples: int, length: int, sharing: int, kv_heads: int) -> Tensor:
    """The bias of ``attend`` for responses that also see the real tokens of their prompt.

    ``prompt_mask``: (groups, prompt length), each group with ``samples`` responses of ``length`` tokens.
    Returns (groups * samples * kv_heads, sharing * length, prompt length + length).
    """
    prompt = mask_bias(prompt_mask).repeat_interleave(samples * kv_heads, 0)[:, None].expand(-1, sharing * length, -1)
    causal = causal_bias(length, sharing, prompt_mask.device).expand(len(prompt), -1, -1)
    return torch.cat([prompt, causal], dim=2)
