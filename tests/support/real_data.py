"""The samples of real data in tests/samples, as the tests use them (tests/samples/README.md describes them)."""

import json
from collections import Counter
from pathlib import Path

import polars as pl
from places import SAMPLES


def one_shot_rlvr() -> dict[str, list[float]]:
    """The 1,209 trajectories that One-Shot-RLVR released: the accuracy at each visit, by prompt index."""
    lines = (SAMPLES / "one_shot_rlvr.txt").read_text(encoding="utf-8").splitlines()
    return {index: [int(digit) / 8 for digit in digits] for index, digits in map(str.split, lines)}


def write_one_shot_rlvr(path: Path) -> Path:
    """Write the trajectories to ``path``, byte for byte as they were released."""
    path.write_text(json.dumps(one_shot_rlvr(), indent=4), encoding="utf-8")
    return path


def golds() -> dict[str, list[str]]:
    """The gold answers of MATH-FULL (``math.8k``) and of the three benchmarks, in the order of the released files."""
    return json.loads((SAMPLES / "golds.json").read_text(encoding="utf-8"))


def released_scores() -> pl.DataFrame:
    """The 7,935 LIM scores that were released: prompt_id, score, and whether the prompt is in the released subset.

    Two of the prompts differ in white space only and have one id; the second of them gets a prime.
    """
    lines = (SAMPLES / "released_scores.txt").read_text(encoding="utf-8").splitlines()
    seen: Counter[str] = Counter()
    rows = []
    for prompt_id, score, *subset in map(str.split, lines):
        rows.append((prompt_id + "'" * seen[prompt_id], float(score), bool(subset)))
        seen[prompt_id] += 1
    return pl.DataFrame(rows, ["prompt_id", "score", "in_subset"], orient="row")
