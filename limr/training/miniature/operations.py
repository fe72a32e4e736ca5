"""The operations of a transformer in few passes over memory: at the miniature's sizes one costs as much as a product.

Each is checked against transformers' Qwen2, value and gradient, in tests/unit/training/miniature/test_model.py.
"""

from typing import Any

import torch
from torch import Tensor


class _Normalise(torch.autograd.Function):
    """x / root mean square of x; the gradient needs the result alone."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, epsilon: float) -> Tensor:
        inverse = x.square().mean(-1, keepdim=True).add_(epsilon).rsqrt_()
        normalised = x * inverse
        ctx.save_for_backward(normalised, inverse)
        return normalised

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        normalised, inverse = ctx.saved_tensors
        along = (gradient * normalised).mean(-1, keepdim=True)
        return torch.addcmul(gradient, normalised, along, value=-1).mul_(inverse), None


class _Take(torch.autograd.Function):
    """``x[rows]`` for rows that are all different: their gradients are put in place, not added up."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        ctx.length = len(x)
        return x.index_select(0, rows)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (rows,) = ctx.saved_tensors
        return gradient.new_zeros(ctx.length, *gradient.shape[1:]).index_copy_(0, rows, gradient), None


def normalise(x: Tensor, epsilon: float) -> Tensor:
    """Root-mean-square normalisation of the last dimension, without a weight: the next projection takes it up."""
    return _Normalise.apply(x, epsilon)


def take(x: Tensor, rows: Tensor) -> Tensor:
    """``x[rows]``; no row may occur twice in ``rows``."""
    return _Take.apply(x, rows)


def pad(x: Tensor, places: Tensor, batch: int, length: int) -> Tensor:
    """Tokens (tokens, heads, head size) at their ``places`` in (batch, heads, length, head size), zero elsewhere."""
    _, heads, size = x.shape
    padded = x.new_zeros(batch * length, heads, size).index_copy(0, places, x)
    return padded.view(batch, length, heads, size).transpose(1, 2)


def unpad(x: Tensor, places: Tensor) -> Tensor:
    """The inverse of ``pad``, heads side by side: (tokens, heads * head size)."""
    return take(x.transpose(1, 2).flatten(0, 1).flatten(1), places)


def interleave_halves(weight: Tensor, heads: int) -> Tensor:
    """Rows of a projection to ``heads`` heads reordered: the two that are rotated together stand side by side.

    Queries and keys are both reordered so, which leaves their products as they were.
    """
    return weight.view(heads, 2, -1, *weight.shape[1:]).transpose(1, 2).reshape(weight.shape)


def rotate(x: Tensor, turns: Tensor) -> Tensor:
    """Rotary positions: pairs of numbers of x (tokens, heads, head size) times ``turns`` (tokens, 1, head size / 2)."""
    pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * turns).flatten(-2)


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
    """Attention of scaled queries q (batch, heads, length, head size).

    Keys and values k, v: (batch, key-value heads, keys, head size). Returns the shape of q.
    ``bias``: from ``causal_bias`` or ``response_bias``. The query heads that share a key-value head stand one after
    another as queries of one attention: fewer and larger products. For sequences of some dozens of tokens this is
    twice as fast as torch's own attention for CPUs.
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
    """What ``attend`` adds to the scores of right-padded sequences, ``sharing`` query heads a key-value head.

    (1, sharing * length, length).
    """
    seen = torch.ones(length, length, dtype=torch.bool, device=device).tril()
    return mask_bias(seen).repeat(1, sharing, 1)


def response_bias(prompt_mask: Tensor, samples: int, length: int, sharing: int, kv_heads: int) -> Tensor:
    """As ``causal_bias``, for ``samples`` responses a prompt that also see the real tokens of their prompt.

    (groups * samples * kv_heads, sharing * length, prompt length + length).
    """
    prompt = mask_bias(prompt_mask).repeat_interleave(samples * kv_heads, 0)[:, None].expand(-1, sharing * length, -1)
    causal = causal_bias(length, sharing, prompt_mask.device).expand(len(prompt), -1, -1)
    return torch.cat([prompt, causal], dim=2)
