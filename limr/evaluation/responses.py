"""Input and output of an evaluation engine. This module needs neither torch nor vLLM."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Response:
    """One generated response: its text without special tokens, and its length with the end token."""

    text: str
    tokens: int
    truncated: bool


@dataclass(frozen=True)
class Sampling:
    """How responses are sampled: greedy at temperature 0, else from the ``top_p`` nucleus at ``temperature``."""

    samples: int
    temperature: float
    top_p: float
    max_response_tokens: int
    batch_size: int  # responses generated together
    seed: int


def seed_from(*parts: object) -> int:
    """A 56-bit seed that depends on ``parts`` alone.

    >>> seed_from(0, "aime24") == seed_from(0, "aime24") != seed_from(1, "aime24")
    True
    """
    return int.from_bytes(hashlib.sha256(" ".join(map(str, parts)).encode()).digest()[:7])
