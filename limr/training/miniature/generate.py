"""Sampling from a TinyQwen2, with a static cache of keys and values.

For speed, each prompt is computed once for all its samples, and finished responses leave the batch.
Each response has a separate row of random numbers, drawn before the first token. So a response does not depend on the
other responses in the batch.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import Tensor

from limr.training.miniature.model import Block, KeysValues, TinyQwen2
from limr.training.miniature.operations import attend, mask_bias

# Copying the cache costs about as much as one token for all its rows, so wait until a fifth of the batch has finished.
KEEP_BATCH_ABOVE = 0.8


@dataclass(frozen=True)
class Responses:
    """Sampled responses: groups * n rows of at most ``length`` tokens.

    ``tokens``: (rows, length), right-padded with zeros. ``mask``: (rows, length), True on real tokens, which include
    the end token. ``log_probabilities``: (rows, length), of the sampled tokens, in nats at the sampling temperature.
    ``entropies``: (rows, length), of the distributions that the tokens were drawn from, in nats. ``truncated``:
    (rows,), True where the response has no end token.
    """

    tokens: Tensor
    mask: Tensor
    log_probabilities: Tensor
    entropies: Tensor
    truncated: Tensor


class _Cache:
    """Keys and values of the rows still being written, with room for ``length`` more tokens.

    A layer's keys are (rows, key-value heads, head size, prompt + length), the layout that the matrix products need.
    Its values are (rows, key-value heads, prompt + length, head size). ``bias``: (rows * key-value heads, prompt +
    length). ``rotary``: the rotary factors of all positions.
    """

    def __init__(self, prompts: KeysValues, samples: int, length: int, rotary: Tensor) -> None:
        def extended(part: Tensor) -> Tensor:
            return functional.pad(part, (0, 0, 0, length)).repeat_interleave(samples, 0)

        self.layers = [[extended(k).transpose(2, 3).contiguous(), extended(v)] for k, v in prompts.layers]
        self.kv_heads = prompts.layers[0][0].shape[1]
        seen = functional.pad(prompts.mask, (0, length), value=True)
        self.bias = mask_bias(seen).repeat_interleave(samples * self.kv_heads, 0)
        self.starts = prompts.lengths.repeat_interleave(samples)
        self.prompt_length = prompts.mask.shape[1]
        self.rotary = rotary

    def keep(self, rows: Tensor) -> None:
        """Keep only these rows."""
        self.layers = [[k[rows], v[rows]] for k, v in self.layers]
        self.starts = self.starts[rows]
        self.bias = self.bias.unflatten(0, (-1, self.kv_heads))[rows].flatten(0, 1)


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
    """Sample ``samples`` responses of at most ``length`` tokens for each right-padded prompt (groups, prompt length).

    ``uniforms``: the random numbers in [0, 1) that drive the sampling, (groups * samples, length). None means greedy
    decoding; log-probabilities and entropies are still those at ``temperature``. ``end``: the id of the end token.
    """
    rows = len(prompts) * samples
    tokens = torch.zeros(rows, length, dtype=torch.long, device=prompts.device)
    log_probabilities, entropies = torch.zeros(2, rows, length, device=prompts.device)
    written = torch.full((rows,), length, device=prompts.device)
    truncated = torch.ones(rows, dtype=torch.bool, device=prompts.device)

    # one pass over the prompts; each row of the batch starts from its prompt's last hidden state
    hidden, keys_values = model.prompt_states(prompts, prompt_mask)
    last = hidden[torch.arange(len(prompts), device=prompts.device), keys_values.lengths - 1]
    logits = model.logits(last).repeat_interleave(samples, 0)
    rotary = model.rotary_factors(torch.arange(prompts.shape[1] + length, device=prompts.device))
    cache = _Cache(keys_values, samples, length, rotary)
    blocks = [layer.block() for layer in model.layers]
    rows_in_batch = torch.arange(rows, device=prompts.device)  # the output row of each row of the batch
    writing = torch.ones(rows, dtype=torch.bool, device=prompts.device)
    for step in range(length):
        log_probs = (logits / temperature).log_softmax(-1)
        probs = log_probs.exp()
        token = log_probs.argmax(-1) if uniforms is None else _draw(probs, uniforms[rows_in_batch, step])
        tokens[rows_in_batch, step] = token
        log_probabilities[rows_in_batch, step] = log_probs.gather(1, token[:, None])[:, 0]
        entropies[rows_in_batch, step] = -(probs * log_probs).sum(-1)
        # rows that have ended stay in the batch until it is worth copying the cache; their later tokens are masked
        ended = writing & (token == end)
        written[rows_in_batch[ended]] = step + 1
        truncated[rows_in_batch[ended]] = False
        writing &= ~ended
        remaining = int(writing.sum())
        if step + 1 == length or remaining == 0:
            break
        if remaining < KEEP_BATCH_ABOVE * len(writing):
            unfinished = writing.nonzero().squeeze(1)
            rows_in_batch, token, writing = rows_in_batch[unfinished], token[unfinished], writing[unfinished]
            cache.keep(unfinished)
        logits = model.logits(_next_hidden(model, blocks, token, step, cache))
    mask = torch.arange(length, device=prompts.device) < written[:, None]
    return Responses(tokens * mask, mask, log_probabilities * mask, entropies * mask, truncated)


def _draw(probs: Tensor, uniform: Tensor) -> Tensor:
    """One token for each row of ``probs`` (rows, vocabulary): inverts the cumulative distribution at ``uniform``."""
    cumulative = probs.cumsum(-1)
    target = uniform[:, None] * cumulative[:, -1:]
    return torch.searchsorted(cumulative, target, right=True)[:, 0].clamp(max=probs.shape[-1] - 1)


def _next_hidden(model: TinyQwen2, blocks: list[Block], token: Tensor, step: int, cache: _Cache) -> Tensor:
    """Final hidden state (rows, hidden) after response token number ``step``, which is ``token`` (rows,).

    Adds the token's keys and values to ``cache``.
    """
    column = cache.prompt_length + step
    rotary, bias = cache.rotary[cache.starts + step], cache.bias[:, None, : column + 1]
    x = model.embed_tokens(token)
    for block, (keys, values) in zip(blocks, cache.layers, strict=True):
        q, keys[..., column], values[:, :, column] = block.before_attention(x, rotary)
        attended = attend(q[:, :, None], keys[..., : column + 1].transpose(2, 3), values[:, :, : column + 1], bias)
        x = block.after_attention(x, attended.flatten(1))
    return model.norm(x)
