"""RAND: prompts drawn at random, the paper's baseline (arXiv 2502.11886, section 2: as many as LIM selects)."""

import hashlib

from limr.selection.method import score_method


@score_method("rand")
def rand(prompt_ids: list[str], seed: int) -> list[float]:
    """Give each prompt a number drawn uniformly from [0, 1).

    The number is a hash of the seed and the prompt's id. It does not depend on other prompts or their order.

    >>> rand(["x", "y"], seed=1)[1] == rand(["y", "z"], seed=1)[0], rand(["x"], seed=1) == rand(["x"], seed=2)
    (True, False)
    """
    return [_uniform(f"{seed}:{prompt_id}") for prompt_id in prompt_ids]


def _uniform(text: str) -> float:
    # A double has 53 bits of mantissa. Dividing a longer integer could round up to 1.
    return (int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:8], "big") >> 11) / 2**53
