"""From MATH and the benchmarks, as downloaded, to prompts files and their audit.

The steps are the paper's (arXiv 2502.11886): MATH without MATH-500, level 3 and more (or unknown). The paper's released
list, MATH-FULL, lacks 367 of the problems that these steps give. ``prompts: published`` takes the list;
``prompts: level3plus`` takes all of them.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from limr.data.data_audit import as_markdown
from limr.data.gradability import ungradable
from limr.data.overlap import duplicates, overlap
from limr.data.published import published
from limr.data.source_rows import check_rows, corrected, digest
from limr.data.sources import BENCHMARKS, ERRATA, MATH, SOURCES, local_file
from limr.errors import ContractError, LimrError, one_of, shown
from limr.files.atomic import write_json, write_text
from limr.files.contracts import read_parquet, write_parquet
from limr.grading.equivalence import LIMR
from limr.prompts import prompt_id

logger = logging.getLogger(__name__)

LOWEST_LEVEL = 3
_UNKNOWN = "unknown"  # subject of AIME and AMC problems


def prepare(
    data: Mapping[str, Any], sources: Mapping[str, Path], benchmarks: Sequence[str], outputs: Mapping[str, Path]
) -> None:
    """Write the training set, the development set, the ``benchmarks`` and the audit.

    ``data`` is the section of the configuration, with ``grader`` where it is not the default. ``sources`` maps every
    source to its problems (contract problems). ``outputs`` holds a path for ``train``, ``development``, each benchmark
    (contract prompts), ``audit`` (Markdown) and ``audit_json``.

    Rows are sorted by prompt_id, so every copy of the data gives the same files. Only one copy of a duplicate is
    written: the copy in MATH's training part takes precedence over the copy in its test part.
    """
    released = {name: _as_prompts(_read_source(name, sources[name]), name) for name in SOURCES}
    math = pl.concat(released[name] for name in MATH).sort("prompt_id", maintain_order=True)
    tests = {name: _with_subjects(released[name], math) for name in BENCHMARKS}
    steps, chosen, development = select(math, tests["math500"], data["prompts"])
    train = chosen.unique("prompt_id", keep="first", maintain_order=True)
    steps.append(("written to the training set, without duplicates", train))
    _log_steps(steps)

    written = {"train": train, "development": development, **tests}
    golds = (answer for frame in written.values() for answer in frame["answer"])
    reasons = ungradable(golds, data.get("grader", LIMR))
    graded = {name: frame.with_columns(gradable=~_fails(reasons)) for name, frame in written.items()}
    for name in ("train", "development", *benchmarks):
        write_parquet(graded[name], outputs[name], "prompts")

    audit = {
        "sources": _describe_sources(sources, data.get("files")),
        "prompts": data["prompts"],
        "steps": [_count(name, frame) for name, frame in steps],
        "development": _count(_development_name(data["prompts"]), development),
        "levels": {
            str(level or "unknown"): count for level, count in train["level"].value_counts().sort("level").rows()
        },
        "duplicates": duplicates(chosen),
        "benchmarks": {
            name: {
                "problems": len(frame),
                "in_math": _common(frame, math),
                "in_math_byte_for_byte": _common(frame, math, column="prompt"),
                "in_train": _common(frame, train),
                "in_development": _common(frame, development),
            }
            for name, frame in tests.items()
        },
        "overlap": overlap(train, tests),
        "golds": {
            name: {"graded": len(frame), "gradable": int(frame["gradable"].sum())} for name, frame in graded.items()
        },
        "ungradable": _ungradable(graded, reasons),
        "ungradable_rule": data.get("ungradable", "drop"),
        "corrected": _corrected(written),
    }
    write_json(outputs["audit_json"], audit)
    write_text(outputs["audit"], as_markdown(audit))
    for row in audit["ungradable"]:
        logger.warning("%s: prompt %s cannot be graded: %s", row["set"], row["prompt_id"], row["reason"])


def select(
    math: pl.DataFrame, math500: pl.DataFrame, prompts: str
) -> tuple[list[tuple[str, pl.DataFrame]], pl.DataFrame, pl.DataFrame]:
    """The steps from MATH (name, remaining problems), the training problems, and the development problems.

    ``prompts`` is ``published`` or ``level3plus``. The development problems are never among the training problems. With
    ``published`` they are the problems that the published list leaves out. With ``level3plus`` they are as many
    problems of levels 1 and 2, the first by prompt_id, which is a hash.
    """
    hard = pl.col("level").is_null() | (pl.col("level") >= LOWEST_LEVEL)
    outside = math.join(math500, on="prompt_id", how="anti", maintain_order="left")
    candidates = outside.filter(hard)
    kept = published(candidates)
    left_out = candidates.filter(~kept)
    steps = [
        ("MATH, training and test part", math),
        ("without MATH-500", outside),
        (f"level {LOWEST_LEVEL} and more, or unknown", candidates),
    ]
    if prompts == "level3plus":
        easy = outside.filter(~hard).unique("prompt_id", keep="first", maintain_order=True)
        return steps, candidates, easy.sort("prompt_id").head(len(left_out))
    if prompts != "published":
        raise LimrError(where="data.prompts", found=shown(prompts), expected=one_of(["published", "level3plus"]))
    chosen = candidates.filter(kept)
    return [*steps, ("in the published list (MATH-FULL)", chosen)], chosen, left_out


def _read_source(name: str, path: Path) -> pl.DataFrame:
    """The problems of a source. Raises ContractError if the file was changed after the download, which checked it."""
    rows = read_parquet(path, "problems")
    try:
        check_rows(rows, SOURCES[name], str(path))
    except ContractError as error:
        error.advice = f"Delete {path} and give the same `snakemake` command again."
        raise
    return rows


def _as_prompts(problems: pl.DataFrame, name: str) -> pl.DataFrame:
    rows = problems.select("problem", "answer").rows()
    return pl.DataFrame(
        {
            "prompt_id": [prompt_id(problem) for problem, _ in rows],
            "prompt": problems["problem"],
            "answer": [corrected(problem, answer) for problem, answer in rows],
            "level": problems["level"],
            "subject": problems["subject"],
            "source": SOURCES[name].title,
        },
        schema_overrides={"level": pl.Int64},
    ).sort("prompt_id", "prompt")


def _with_subjects(benchmark: pl.DataFrame, math: pl.DataFrame) -> pl.DataFrame:
    """Add level and subject from MATH: not every copy of MATH-500 has them, and AIME and AMC are not in MATH."""
    known = math.unique("prompt_id", keep="first", maintain_order=True).select("prompt_id", "level", "subject")
    joined = benchmark.drop("level", "subject").join(known, on="prompt_id", how="left", maintain_order="left")
    return joined.with_columns(pl.col("subject").fill_null(_UNKNOWN))


def _fails(reasons: Mapping[str, str]) -> pl.Expr:
    return pl.col("answer").is_in(list(reasons))


def _ungradable(graded: Mapping[str, pl.DataFrame], reasons: Mapping[str, str]) -> list[dict[str, str]]:
    return [
        {"set": name, "prompt_id": row["prompt_id"], "gold": row["answer"], "reason": reasons[row["answer"]]}
        for name, frame in graded.items()
        for row in frame.filter(~pl.col("gradable")).iter_rows(named=True)
    ]


def _corrected(written: Mapping[str, pl.DataFrame]) -> list[dict[str, str]]:
    return [
        {"set": name, "prompt_id": found, "gold": ERRATA[found].answer, "why": ERRATA[found].why}
        for name, frame in written.items()
        for found in frame["prompt_id"]
        if found in ERRATA
    ]


def _describe_sources(sources: Mapping[str, Path], files: str | Mapping[str, str] | None) -> list[dict[str, Any]]:
    described = []
    for name, source in SOURCES.items():
        rows = read_parquet(sources[name], "problems")
        described.append(
            {
                "title": source.title,
                "problems": len(rows),
                "from": local_file(name, files) or f"{source.repository}@{source.revision}",
                "digest": digest(rows, source),
            }
        )
    return described


def _count(step: str, frame: pl.DataFrame) -> dict[str, Any]:
    return {"step": step, "problems": len(frame), "distinct": frame["prompt_id"].n_unique()}


def _common(benchmark: pl.DataFrame, problems: pl.DataFrame, column: str = "prompt_id") -> int:
    """How many problems of ``benchmark`` are among ``problems``."""
    return int(benchmark[column].is_in(problems[column].implode()).sum())


def _development_name(prompts: str) -> str:
    if prompts == "published":
        return f"level {LOWEST_LEVEL} and more, left out of the published list"
    return f"below level {LOWEST_LEVEL}, the first by prompt_id"


def _log_steps(steps: Sequence[tuple[str, pl.DataFrame]]) -> None:
    for name, frame in steps:
        counts = _count(name, frame)
        logger.info("%s: %s problems, %s distinct", name, f"{counts['problems']:,}", f"{counts['distinct']:,}")
