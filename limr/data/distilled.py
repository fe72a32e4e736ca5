"""Published solutions by stronger models (LIMO, s1), from the hub or a local file, with an audit.

The rows of a source have fixed columns. A response is the text of one or more columns, with a blank line between them:
for s1 its chain of thought, and then its answer.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from limr.data.hub import hub_file
from limr.data.overlap import overlap
from limr.errors import ContractError, counted, shown
from limr.files.atomic import write_json, write_text
from limr.files.contracts import read_parquet, write_parquet
from limr.files.markdown import markdown_code, markdown_rows
from limr.files.rows import read_rows
from limr.files.strict_json import whole_characters
from limr.grading.boxes import find_boxes
from limr.prompts import prompt_id

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DistilledSource:
    """One published set of solutions. ``response``: the columns that make up a response."""

    title: str
    repository: str
    file: str
    rows: int
    prompt: str
    response: tuple[str, ...]


DISTILLED: dict[str, DistilledSource] = {
    "limo": DistilledSource("LIMO", "GAIR/LIMO", "limo.jsonl", 817, "question", ("solution",)),
    "s1k": DistilledSource(
        "s1", "simplescaling/s1K", "data/train-00000-of-00001.parquet", 1000, "question",
        ("thinking_trajectories", "attempt"),
    ),
}  # fmt: skip


def download_solutions(
    settings: Mapping[str, Any], benchmarks: Mapping[str, Path], outputs: Mapping[str, Path]
) -> None:
    """Write the solutions (contract solutions) to ``outputs["solutions"]`` and their audit beside them.

    ``settings``: ``source``, and ``file`` or ``revision``. ``benchmarks``: name -> its problems (contract prompts).
    Problems that occur twice are written once, and problems of a benchmark are left out; the audit (``audit``,
    ``audit_json``) counts both.

    Raises LimrError when the hub cannot be reached, and ContractError with the file, column, what was found and what
    was expected, when these are not the source's rows.
    """
    source = DISTILLED[settings["source"]]
    table = load_solutions(settings)
    tests = {name: read_parquet(path, "prompts") for name, path in benchmarks.items()}
    distinct = table.unique("prompt_id", keep="first", maintain_order=True)
    pairs = overlap(distinct, tests)
    same = sorted({pair["prompt_id"] for pair in pairs if pair["same"]})
    kept = distinct.filter(~pl.col("prompt_id").is_in(same))
    write_parquet(kept, outputs["solutions"], "solutions")
    without_box = sum(find_boxes(response).last is None for response in kept["response"])
    audit = {
        "source": source.title,
        "from": settings.get("file") or f"{source.repository}@{settings['revision']}",
        "rows": len(table),
        "duplicates": len(table) - len(distinct),
        "in_a_benchmark": same,
        "near_a_benchmark": [pair for pair in pairs if not pair["same"]],
        "without_box": without_box,
        "solutions": len(kept),
    }
    write_json(outputs["audit_json"], audit)
    write_text(outputs["audit"], _page(audit))
    logger.info("%s: %s of %s rows are kept", source.title, f"{len(kept):,}", f"{len(table):,}")


def load_solutions(settings: Mapping[str, Any]) -> pl.DataFrame:
    """All rows of a source, as contract ``solutions`` but with duplicates. Otherwise as ``download_solutions``."""
    source, local = DISTILLED[settings["source"]], settings.get("file")
    file = Path(local) if local else hub_file(source.repository, settings["revision"], source.file)
    where = local or f"{source.repository}@{settings['revision'][:12]}/{source.file}"
    rows = []
    for number, (place, row) in enumerate(read_rows(str(file))):
        place = place if local else f"{where}: row {number}"
        prompt = _text(row, source.prompt, place)
        response = "\n\n".join(_text(row, column, place) for column in source.response)
        rows.append((prompt_id(prompt), prompt, response, source.title))
    if len(rows) != source.rows:
        raise ContractError(
            f"these are not the {source.rows:,} rows of {source.title}",
            where=where,
            found=counted(len(rows), "row"),
            expected=f"{source.rows:,}",
            advice=f"Take the file {source.file} of {source.repository} as it was first released.",
        )
    return pl.DataFrame(rows, ["prompt_id", "prompt", "response", "source"], orient="row")


def _text(row: Mapping[str, Any], column: str, where: str) -> str:
    """The text of a column, which may be a list that holds one text. Raises ContractError for anything else."""
    if column not in row:
        raise ContractError(
            f"no column {column!r}", where=where, found=f"the columns {', '.join(row)}", expected=f"text in {column!r}"
        )
    value = row[column]
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str) or not value.strip():
        raise ContractError(where=(where, f"column {column!r}"), found=shown(value), expected="text that is not blank")
    return whole_characters(value, where, repr(column)).strip()


def _page(audit: Mapping[str, Any]) -> str:
    near = [
        [f"`{pair['prompt_id']}`", pair["begins"], pair["benchmark"], f"{pair['similarity']:.3f}"]
        for pair in audit["near_a_benchmark"]
    ]
    counts = [
        ["rows of the source", audit["rows"]],
        ["second copies of a problem, left out", audit["duplicates"]],
        ["problems of a benchmark, left out", len(audit["in_a_benchmark"])],
        ["near a problem of a benchmark, kept", len({pair["prompt_id"] for pair in audit["near_a_benchmark"]})],
        ["solutions without a closed box, kept", audit["without_box"]],
        ["solutions to train on", audit["solutions"]],
    ]
    parts = [
        f"# Audit of the solutions of {audit['source']}",
        f"From {markdown_code(audit['from'])}.",
        markdown_rows(["", "number"], counts),
        *([markdown_rows(["problem", "begins", "benchmark", "similarity"], near)] if near else []),
    ]
    return "\n\n".join(parts) + "\n"
