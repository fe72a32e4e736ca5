"""The paper's own list of problems, MATH-FULL: 8,523 of the 8,890 problems that its rules give.

``published.json`` holds the ids of the problems that are not in the list (no published step explains why) and a digest
of the list. ``describe`` made it from the list that the LIMR authors released (math.8k.json of their repository); a
test makes it again.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import polars as pl

from limr.errors import LimrError
from limr.prompts import prompt_id


def published(candidates: pl.DataFrame) -> pl.Expr:
    """Which of ``candidates`` (column prompt_id, all problems of level 3 and more outside MATH-500) are in the list.

    Raises LimrError when the result is not the published list.
    """
    released = _released()
    kept = ~pl.col("prompt_id").is_in(released["left_out"])
    ids = candidates.filter(kept)["prompt_id"]
    if len(ids) != released["rows"] or ids_digest(ids) != released["digest"]:
        raise LimrError(
            where="MATH-FULL",
            found=f"{len(ids):,} problems with digest {ids_digest(ids)}",
            expected=f"the published {released['rows']:,} with digest {released['digest']}",
            advice="The sources are not MATH and MATH-500 as released. Take other copies (docs/data.md).",
        )
    return kept


def describe(released: Sequence[Mapping[str, Any]], candidates: pl.DataFrame) -> dict[str, Any]:
    """The content of ``published.json``. ``released`` has rows with ``prompt``; ``candidates`` is as in ``published``.

    ``byte_for_byte`` counts the released rows that MATH holds unchanged. The others differ in white space.
    """
    ids = [prompt_id(row["prompt"]) for row in released]
    texts = set(candidates["prompt"])
    return {
        "rows": len(released),
        "distinct": len(set(ids)),
        "byte_for_byte": sum(row["prompt"] in texts for row in released),
        "digest": ids_digest(ids),
        "left_out": sorted(set(candidates["prompt_id"]) - set(ids)),
    }


def ids_digest(ids: Iterable[str]) -> str:
    """SHA-256 of the distinct ids, sorted, one per line."""
    return hashlib.sha256("\n".join(sorted(set(ids))).encode("ascii")).hexdigest()


@cache
def _released() -> dict[str, Any]:
    return json.loads(files("limr.data").joinpath("published.json").read_text(encoding="utf-8"))
