"""RAND: prompts drawn at random, the paper's baseline (arXiv 2502.11886, section 2: as many as LIM selects)."""

import hashlib

from limr.selection.method import Pool, Scores, score_method


@score_method("rand", needs_trajectories=False)
def rand(pool: Pool) -> Scores:
    """Give each prompt a number drawn uniformly from [0, 1).

    The draw is a hash of the seed and the prompt's own id: it depends on no other prompt and on no order of rows.

    >>> a, b = (rand(Pool(ids, None, seed=1)).scores for ids in (["x", "y"], ["w", "x"]))
    >>> a["x"] == b["x"], a["x"] == rand(Pool(["x"], None, seed=2)).scores["x"]
    (True, False)
    """
    return Scores({prompt_id: _uniform(f"{pool.seed}:{prompt_id}") for prompt_id in pool.prompt_ids})


def _uniform(text: str) -> float:
    # a double has 53 bits of mantissa: dividing more than that could round up to 1
    return (int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:8], "big") >> 11) / 2**53
