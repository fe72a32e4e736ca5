"""Conversion between token lists, right-padded tensors, and flat tensors that hold the real tokens only."""

from collections.abc import Sequence

import torch
from torch import Tensor


def pad(sequences: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Right-padded tokens (sequences, longest) and the mask, of the same shape, that is True on real tokens.

    >>> tokens, mask = pad([[1, 2, 3], [4]])
    >>> tokens.tolist(), mask.sum(1).tolist()
    ([[1, 2, 3], [4, 0, 0]], [3, 1])
    """
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    mask = torch.arange(int(lengths.max())) < lengths[:, None]
    tokens = torch.zeros(mask.shape, dtype=torch.long)
    tokens[mask] = torch.tensor([token for sequence in sequences for token in sequence])
    return tokens, mask


def log_probabilities(logits: Tensor, tokens: Tensor) -> Tensor:
    """Log-probability (n,) of ``tokens`` (n,) under ``logits`` (n, vocabulary), in nats."""
    return logits.log_softmax(-1).gather(1, tokens[:, None])[:, 0]


def flatten(padded: Tensor, mask: Tensor) -> Tensor:
    """The real entries of right-padded (rows, length, ...): the first entry of every row, then the others row by row.

    This is the order in which ``TinyQwen2.response_states`` returns hidden states.

    >>> tokens, mask = pad([[1, 2, 3], [4]])
    >>> flatten(tokens, mask).tolist()
    [1, 4, 2, 3]
    """
    return torch.cat([padded[:, 0], padded[:, 1:][mask[:, 1:]]])


def unflatten(flat: Tensor, mask: Tensor) -> Tensor:
    """The inverse of ``flatten``: (rows, length, ...), zero on padding."""
    padded = torch.zeros(*mask.shape, *flat.shape[1:], dtype=flat.dtype, device=flat.device)
    padded[:, 0] = flat[: len(mask)]
    padded[:, 1:][mask[:, 1:]] = flat[len(mask) :]
    return padded
