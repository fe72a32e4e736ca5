"""Ranks: the prompts by score, best first. Prompts with the same score are in an order drawn from the seed."""

import hashlib

import numpy as np
import polars as pl


def rank_prompts(scored: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Add ``rank`` to ``scored`` (columns prompt_id, score or null, others), and sort by it.

    Rank 1 is the best score. A hash of ``seed`` and the prompt's id orders the prompts that tie. So each of them comes
    first equally often over the seeds, and the order does not depend on other prompts or on the order of the rows.
    Prompts without a score have no rank and come last, by prompt_id.

    >>> scored = pl.DataFrame({"prompt_id": ["a", "b", "c"], "score": [0.5, 0.7, 0.5]})
    >>> ["".join(rank_prompts(scored, seed)["prompt_id"]) for seed in (0, 1, 2)]
    ['bca', 'bac', 'bca']
    """
    by_id = scored.sort("prompt_id")
    # only ties are hashed, because hashing takes longer than sorting; Polars' own hash differs between its versions
    tied = (by_id["score"].is_duplicated() & by_id["score"].is_not_null()).to_numpy()
    draws = np.zeros(len(by_id), dtype=np.uint64)
    draws[tied] = _draws(by_id["prompt_id"].filter(tied), seed)
    scores = by_id["score"].cast(pl.Float64).to_numpy()  # null is NaN, which numpy sorts last
    order = np.lexsort((draws, -scores))  # stable, so prompt_id decides last
    return by_id[order].with_columns(rank=pl.when(pl.col("score").is_not_null()).then(pl.int_range(1, pl.len() + 1)))


def _draws(prompt_ids: pl.Series, seed: int) -> np.ndarray:
    """A number of 64 bits for each prompt. The word at its start makes it independent of RAND's number."""
    hashes = (hashlib.sha256(f"tie:{seed}:{prompt_id}".encode()).digest()[:8] for prompt_id in prompt_ids)
    return np.frombuffer(b"".join(hashes), dtype=">u8")
