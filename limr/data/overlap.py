"""Duplicate problems, and training problems that are equal or similar to a benchmark problem.

Two problems are the same when their texts are equal after collapsing white space: they share a ``prompt_id``. They are
*near* when they share at least half of all their word 8-grams. Near problems often have the same text with another
number or question.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import polars as pl

from limr.prompts import collapsed

WORDS = 8  # in an n-gram
NEAR = 0.5  # Jaccard similarity from which two problems are near
SHOWN = 80  # characters that identify a problem to a reader


def duplicates(problems: pl.DataFrame) -> list[dict[str, Any]]:
    """Each problem that ``problems`` (prompt_id, prompt, answer, source, level) holds more than once: id and copies."""
    repeated = problems.filter(pl.col("prompt_id").is_duplicated())
    groups = repeated.group_by("prompt_id", maintain_order=True).agg("source", "level", "answer", "prompt")
    return [
        {
            "prompt_id": group["prompt_id"],
            "copies": [
                {"source": source, "level": level, "answer": answer}
                for source, level, answer in zip(group["source"], group["level"], group["answer"], strict=True)
            ],
            "same_bytes": len(set(group["prompt"])) == 1,
        }
        for group in groups.iter_rows(named=True)
    ]


def overlap(problems: pl.DataFrame, benchmarks: Mapping[str, pl.DataFrame]) -> list[dict[str, Any]]:
    """Pairs of a problem and a benchmark problem that are the same or near, the most similar first.

    All frames hold prompt_id and prompt. A pair has: benchmark, benchmark_id, prompt_id, same, similarity (Jaccard) and
    begins (the first characters of the training problem).
    """
    targets = [
        (name, row["prompt_id"], ngrams(row["prompt"]))
        for name, frame in benchmarks.items()
        for row in frame.select("prompt_id", "prompt").iter_rows(named=True)
    ]
    # An index from each n-gram to the benchmark problems that hold it. A training problem is compared only with those
    # that share an n-gram with it, instead of with all of them.
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, (_, _, grams) in enumerate(targets):
        for gram in grams:
            holders[gram].append(index)
    pairs = []
    for identifier, prompt in problems.select("prompt_id", "prompt").unique(maintain_order=True).iter_rows():
        grams = ngrams(prompt)
        shared = Counter(index for gram in grams for index in holders.get(gram, ()))
        for index, count in shared.items():
            name, target_id, target_grams = targets[index]
            similarity = count / (len(grams) + len(target_grams) - count)
            if identifier == target_id or similarity >= NEAR:
                pairs.append(
                    {
                        "benchmark": name,
                        "benchmark_id": target_id,
                        "prompt_id": identifier,
                        "same": identifier == target_id,
                        "similarity": round(similarity, 3),
                        "begins": collapsed(prompt)[:SHOWN],
                    }
                )
    return sorted(pairs, key=lambda pair: (-pair["same"], -pair["similarity"], pair["benchmark"], pair["prompt_id"]))


def ngrams(text: str) -> set[tuple[str, ...]]:
    """The word ``WORDS``-grams of ``text``, in lower case and without punctuation; a shorter text is one n-gram.

    >>> len(ngrams("What is $1+2+3+4+5+6+7$?"))
    2
    """
    words = re.findall(r"[^\W_]+", text.lower())
    return {tuple(words[start : start + WORDS]) for start in range(max(1, len(words) - WORDS + 1))}
