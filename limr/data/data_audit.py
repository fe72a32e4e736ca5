"""audit.md: the counts of every step from MATH to the prompts files, and everything unusual in the problems."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from limr.data.overlap import NEAR, WORDS
from limr.files.markdown import markdown_rows

SHOWN_PAIRS = 20


def as_markdown(audit: Mapping[str, Any]) -> str:
    """The audit as a page. The JSON file beside it has all details, including all pairs and ids."""
    sections = [
        "# Audit of the data",
        "## Sources",
        "The rows of each source have the expected digest (`limr/data/sources.py`).",
        markdown_rows(
            ["source", "problems", "from", "digest"],
            ([s["title"], s["problems"], f"`{s['from']}`", f"`{s['digest'][:16]}`"] for s in audit["sources"]),
        ),
        "## From MATH to the training set",
        f"`prompts: {audit['prompts']}`. *Distinct*: problems that differ after collapsing white space.",
        markdown_rows(["step", "problems", "distinct", "left out by this step"], _steps(audit["steps"])),
        f"Development set: {audit['development']['problems']:,} problems ({audit['development']['step']}); "
        "none is in the training set.",
        "Training problems by level: "
        + ", ".join(f"{level}: {count:,}" for level, count in audit["levels"].items())
        + ".",
        "## Duplicates",
        _duplicates(audit["duplicates"]),
        "## Overlap with the benchmarks",
        f"*Near*: at least {NEAR:.0%} of the word {WORDS}-grams of the two texts are shared (Jaccard).",
        markdown_rows(
            ["benchmark", "problems", "in MATH", "byte for byte", "in training set", "in development set", "near"],
            _benchmarks(audit),
        ),
        _pairs(audit["overlap"]),
        "## Gold answers",
        _golds(audit),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _steps(steps: Sequence[Mapping[str, Any]]) -> Iterable[list[Any]]:
    before = None
    for step in steps:
        left_out = None if before is None else before - step["problems"]
        before = step["problems"]
        yield [step["step"], step["problems"], step["distinct"], left_out]


def _duplicates(duplicates: Sequence[Mapping[str, Any]]) -> str:
    if not duplicates:
        return "No problem occurs twice."
    lines = [f"{len(duplicates)} problems occur more than once; the copy named first is kept."]
    for problem in duplicates:
        copies = "; ".join(
            f"{copy['source']}, level {copy['level'] or 'unknown'}, answer `{copy['answer']}`"
            for copy in problem["copies"]
        )
        how = "the same bytes" if problem["same_bytes"] else "different in white space only"
        lines.append(f"* `{problem['prompt_id']}` ({how}): {copies}")
    return "\n".join(lines)


def _benchmarks(audit: Mapping[str, Any]) -> Iterable[list[Any]]:
    for name, row in audit["benchmarks"].items():
        near = sum(pair["benchmark"] == name and not pair["same"] for pair in audit["overlap"])
        counts = ("problems", "in_math", "in_math_byte_for_byte", "in_train", "in_development")
        yield [name, *(row[count] for count in counts), near]


def _pairs(pairs: Sequence[Mapping[str, Any]]) -> str:
    if not pairs:
        return ""
    table = markdown_rows(
        ["training problem", "begins", "benchmark", "its problem", "similarity"],
        (
            [
                f"`{pair['prompt_id']}`",
                pair["begins"],
                pair["benchmark"],
                f"`{pair['benchmark_id']}`",
                f"{pair['similarity']:.3f}",
            ]
            for pair in pairs[:SHOWN_PAIRS]
        ),
    )
    more = len(pairs) - SHOWN_PAIRS
    return f"{table}\n\nand {more} more in the JSON file." if more > 0 else table


def _golds(audit: Mapping[str, Any]) -> str:
    rule = {
        "drop": "No method trains on prompts with a gold answer that cannot be graded (`ungradable: drop`).",
        "keep": "All methods also train on prompts with a gold answer that cannot be graded (`ungradable: keep`).",
    }[audit["ungradable_rule"]]
    parts = [
        "Every gold answer is graded against itself and against a wrong answer, by the grader of training and "
        f"evaluation. {rule}",
        markdown_rows(
            ["set", "golds", "gradable", "not gradable"],
            (
                [name, row["graded"], row["gradable"], row["graded"] - row["gradable"]]
                for name, row in audit["golds"].items()
            ),
        ),
    ]
    if audit["ungradable"]:
        rows = ([row["set"], f"`{row['prompt_id']}`", row["reason"]] for row in audit["ungradable"])
        parts.append(markdown_rows(["set", "prompt_id", "why it cannot be graded"], rows))
    parts += [
        f"Corrected: `{row['prompt_id']}` ({row['set']}) has the gold `{row['gold']}`: {row['why']}."
        for row in audit["corrected"]
    ]
    return "\n\n".join(parts)
