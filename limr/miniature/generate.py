"""Sampling from a TinyQwen2: one prompt pass for all its samples, a static cache, and finished rows leave the batch.

Each response draws from its own row of random numbers, made before the first token: what a response becomes does not
depend on which others are still being written.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import Tensor

from limr.miniature.model import KeysValues, Layer, TinyQwen2

# Copying the cache costs about as much as a token for its rows: wait until a fifth of the batch has finished.
KEEP_BATCH_ABOVE = 0.8


@dataclass(frozen=True)
class Responses:
    """Sampled responses, groups * n rows of at most ``length`` tokens.

    ``tokens`` (rows, length), padded; ``mask`` True on real tokens, the end token included; ``log_probabilities`` of
    the sampled tokens and ``entropies`` of the distributions they were drawn from, at the sampling temperature, in
    nats; ``truncated`` (rows,) where no end token came in time.
    """

    tokens: Tensor
    mask: Tensor
    log_probabilities: Tensor
    entropies: Tensor
    truncated: Tensor


class _Cache:
    """Keys and values of the rows still being written: (rows, key-value heads, prompt + length, head size) a layer."""

    def __init__(self, prompts: KeysValues, samples: int, length: int) -> None:
        def grown(part: Tensor) -> Tensor:
            return functional.pad(part, (0, 0, 0, length)).repeat_interleave(samples, 0)

        self.layers = [[grown(k), grown(v)] for k, v in prompts.layers]
        self.allowed = functional.pad(prompts.mask, (0, length), value=True).repeat_interleave(samples, 0)
        self.starts = prompts.lengths.repeat_interleave(samples)
        self.prompt_length = prompts.mask.shape[1]

    def keep(self, rows: Tensor) -> None:
        """Drop all rows but these."""
        self.layers = [[k[rows], v[rows]] for k, v in self.layers]
        self.allowed, self.starts = self.allowed[rows], self.starts[rows]


@torch.no_grad()
def generate(
    model: TinyQwen2,
    prompts: Tensor,
    prompt_mask: Tensor,
    samples: int,
    length: int,
    temperature: float,
    end: int,
    uniforms: Tensor | None,
) -> Responses:
    """Write ``samples`` responses of at most ``length`` tokens for each right-padded prompt (groups, prompt length).

    ``uniforms`` (groups * samples, length) in [0, 1) drive the sampling; None means greedy, with statistics at
    ``temperature`` all the same. ``end`` is the end token.
    """
    rows = len(prompts) * samples
    tokens = torch.zeros(rows, length, dtype=torch.long, device=prompts.device)
    log_probabilities, entropies = torch.zeros(2, rows, length, device=prompts.device)
    written = torch.full((rows,), length, device=prompts.device)
    truncated = torch.ones(rows, dtype=torch.bool, device=prompts.device)

    hidden, keys_values = model.read_prompts(prompts, prompt_mask)
    last = hidden[torch.arange(len(prompts), device=prompts.device), keys_values.lengths - 1]
    logits = model.logits(last).repeat_interleave(samples, 0)
    cache = _Cache(keys_values, samples, length)
    rows_in_batch = torch.arange(rows, device=prompts.device)
    writing = torch.ones(rows, dtype=torch.bool, device=prompts.device)
    for step in range(length):
        log_probs = (logits / temperature).log_softmax(-1)
        probs = log_probs.exp()
        token = log_probs.argmax(-1) if uniforms is None else _draw(probs, uniforms[rows_in_batch, step])
        tokens[rows_in_batch, step] = token
        log_probabilities[rows_in_batch, step] = log_probs.gather(1, token[:, None])[:, 0]
        entropies[rows_in_batch, step] = -(probs * log_probs).sum(-1)
        ended = writing & (token == end)
        written[rows_in_batch[ended]] = step + 1
        truncated[rows_in_batch[ended]] = False
        writing &= ~ended
        remaining = int(writing.sum())
        if step + 1 == length or remaining == 0:
            break
        if remaining < KEEP_BATCH_ABOVE * len(writing):
            going = writing.nonzero().squeeze(1)
            rows_in_batch, token, writing = rows_in_batch[going], token[going], writing[going]
            cache.keep(going)
        logits = model.logits(_next_hidden(model, token, step, cache))
    mask = torch.arange(length, device=prompts.device) < written[:, None]
    return Responses(tokens * mask, mask, log_probabilities * mask, entropies * mask, truncated)


def _draw(probs: Tensor, uniform: Tensor) -> Tensor:
    """One token a row by inverting the cumulative distribution at ``uniform``."""
    cumulative = probs.cumsum(-1)
    target = uniform[:, None] * cumulative[:, -1:]
    return torch.searchsorted(cumulative, target, right=True)[:, 0].clamp(max=probs.shape[-1] - 1)


def _next_hidden(model: TinyQwen2, token: Tensor, step: int, cache: _Cache) -> Tensor:
    """Final hidden state (rows, hidden) after reading ``token`` (rows,) as response token number ``step``."""
    cosine, sine = model.positions(cache.starts + step)
    column = cache.prompt_length + step
    allowed = cache.allowed[:, None, None, : column + 1]
    x = model.embed_tokens(token)
    for layer, (keys, values) in zip(model.layers, cache.layers, strict=True):
        x = _decode_layer(layer, x, cosine, sine, keys, values, allowed, column)
    return model.norm(x)


def _decode_layer(
    layer: Layer, x: Tensor, cosine: Tensor, sine: Tensor, keys: Tensor, values: Tensor, allowed: Tensor, column: int
) -> Tensor:
    q, k, v = layer.self_attn.project(layer.input_layernorm(x), cosine, sine)
    keys[:, :, column], values[:, :, column] = k, v
    rows, kv_heads, _, size = keys.shape
    # The query heads that share a key-value head stand as several queries of one attention.
    q = q.reshape(rows, kv_heads, -1, size)
    attended = functional.scaled_dot_product_attention(
        q, keys[:, :, : column + 1], values[:, :, : column + 1], attn_mask=allowed
    )
    return layer.after_attention(x, attended.reshape(rows, -1))
