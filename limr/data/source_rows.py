"""Read the problems of any copy of a source, and compute the digest that identifies the expected rows.

Copies name their columns differently. A problem is a ``problem`` or a ``question``. The answer is in ``answer``, or in
the last box of ``solution``. The field of mathematics is a ``subject`` or a ``type``.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from limr.data.sources import ERRATA, SOURCES, Source
from limr.errors import ContractError, one_of, shown
from limr.files.rows import read_rows
from limr.files.strict_json import whole_characters
from limr.grading.boxes import find_boxes
from limr.prompts import collapsed, prompt_id

_INTEGER = re.compile(r"([+-]?)0*(\d+)(?:\.0*)?")
_LEVEL = re.compile(r"(?:Level )?([1-5])")
_UNKNOWN_LEVEL = "Level ?"


def read_problems(files: Sequence[Path], source: Source) -> pl.DataFrame:
    """The rows of ``files`` (JSON Lines, CSV or Parquet), in their order, as contract ``problems``.

    Raises LimrError with the file and row that cannot be read, or that has no problem or no answer.
    """
    for path in files:
        if not path.is_file():
            raise ContractError("no such file", where=path, expected="one row per problem (docs/data.md)")
    rows = [_problem(raw, source, place) for path in files for place, raw in read_rows(str(path))]
    schema = {"problem": pl.String, "answer": pl.String, "level": pl.Int64, "subject": pl.String}
    return pl.DataFrame(rows, schema, orient="row").with_row_index("row").cast({"row": pl.Int64})


def check_rows(rows: pl.DataFrame, source: Source, where: str) -> None:
    """Raise ContractError unless ``rows`` are exactly the problems of ``source``."""
    found = digest(rows, source)
    if found != source.digest:
        other = next((f", those of {other.title}" for other in SOURCES.values() if other.digest == found), "")
        raise ContractError(
            f"these are not the {source.rows:,} problems of {source.title} that this project was built on",
            where=where,
            found=f"{len(rows):,} rows with digest {found}{other}",
            expected=f"digest {source.digest}",
            advice=f"At least one problem{', answer, level or subject' if source.levels else ' or answer'} differs. "
            "Take another copy (docs/data.md explains the digests and lists the copies).",
        )


def digest(rows: pl.DataFrame, source: Source) -> str:
    """SHA-256 over ``rows``, with white space collapsed, errata applied, and sorted: order and format do not matter."""
    columns = ("level", "subject") if source.levels else ()
    canonical = [
        json.dumps([collapsed(row["problem"]), corrected(row["problem"], row["answer"]), *(row[c] for c in columns)])
        for row in rows.iter_rows(named=True)
    ]
    return hashlib.sha256("\n".join(sorted(canonical)).encode("utf-8")).hexdigest()


def corrected(problem: str, answer: str) -> str:
    """The right answer to ``problem`` where ``answer`` is a known erratum; else ``answer``."""
    erratum = ERRATA.get(prompt_id(problem))
    return erratum.answer if erratum else answer


def boxed_answer(solution: str) -> str | None:
    r"""The content of the last ``\boxed`` of a worked solution: a group in braces, or the single token after it.

    >>> boxed_answer(r"so $x = \boxed{\frac{1}{2}}$"), boxed_answer(r"our answer is $\boxed 9$."), boxed_answer("9")
    ('\\frac{1}{2}', '9', None)
    """
    in_braces = find_boxes(solution).last
    if in_braces is not None:
        return in_braces
    bare = re.findall(r"\\boxed\s*(\\[A-Za-z]+|[^\s{$])", solution)
    return bare[-1] if bare else None


def _problem(raw: Mapping[str, Any], source: Source, where: str) -> tuple[str, str, int | None, str]:
    problem = _text(raw, ("problem", "question"), where)
    answer = raw.get("answer")
    if answer is None and isinstance(raw.get("solution"), str):
        answer = boxed_answer(raw["solution"])
    if answer is None:
        raise ContractError(
            "no answer",
            where=where,
            found=f"the columns {', '.join(raw)}",
            expected="`answer`, or `solution` with a \\boxed",
        )
    answer = whole_characters(collapsed(str(answer)), where, "'answer'")
    if source.integers:
        answer = _integer(answer, where)
    if not source.levels:
        return problem, answer, None, ""
    return problem, answer, _level(raw.get("level"), where), _text(raw, ("subject", "type"), where)


def _text(raw: Mapping[str, Any], names: Sequence[str], where: str) -> str:
    for name in names:
        if isinstance(raw.get(name), str) and raw[name].strip():
            return whole_characters(raw[name], where, repr(name))
    columns = ", ".join(raw)
    raise ContractError(where=where, found=f"the columns {columns}", expected=f"text in {one_of(names)}")


def _integer(answer: str, where: str) -> str:
    match = _INTEGER.fullmatch(answer)
    if not match:
        raise ContractError(where=(where, "answer"), found=shown(answer), expected="a whole number, as in all rows")
    return match[1].replace("+", "") + match[2]


def _level(level: Any, where: str) -> int | None:
    if level == _UNKNOWN_LEVEL:
        return None
    match = _LEVEL.fullmatch(str(level))
    if not match:
        raise ContractError(
            where=(where, "level"), found=shown(level), expected=f"Level 1 to Level 5, or {_UNKNOWN_LEVEL}"
        )
    return int(match[1])
