"""audit.md: every step from MATH to the prompts files counted, and whatever is odd about them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from limr.data.overlap import NEAR, WORDS

SHOWN_PAIRS = 20


def as_markdown(audit: Mapping[str, Any]) -> str:
    """The audit for people; all of it, pairs and ids, is in the JSON beside it."""
    sections = [
        "# Audit of the data",
        "## Where it comes from",
        "Each source's rows have the digest that this project expects (`limr/data/sources.py`).",
        _table(
            ["source", "problems", "from", "digest"],
            ([s["title"], s["problems"], f"`{s['from']}`", f"`{s['digest'][:16]}`"] for s in audit["sources"]),
        ),
        "## From MATH to the training set",
        f"`prompts: {audit['prompts']}`. *Distinct*: after collapsing white space, one `prompt_id` each.",
        _table(
            ["step", "problems", "distinct", "left out by this step"],
            _steps(audit["steps"]),
        ),
        f"Development set: {audit['development']['problems']:,} problems ({audit['development']['step']}); "
        "none is in the training set.",
        "Training problems by level: "
        + ", ".join(f"{level}: {count:,}" for level, count in audit["levels"].items())
        + ".",
        "## Doubles",
        _doubles(audit["doubles"]),
        "## Overlap with the benchmarks",
        f"*Near*: at least {NEAR:.0%} of the word {WORDS}-grams of the two texts are shared (Jaccard).",
        _table(
            ["benchmark", "problems", "in MATH", "byte for byte", "in training set", "in development set", "near"],
            (
                [
                    name,
                    row["problems"],
                    row["in_math"],
                    row["in_math_byte_for_byte"],
                    row["in_train"],
                    row["in_development"],
                    sum(pair["benchmark"] == name and not pair["same"] for pair in audit["overlap"]),
                ]
                for name, row in audit["benchmarks"].items()
            ),
        ),
        _pairs(audit["overlap"]),
        "## Gold answers",
        _golds(audit),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _steps(steps: Sequence[Mapping[str, Any]]) -> Iterable[list[Any]]:
    before = None
    for step in steps:
        left_out = "-" if before is None else before - step["problems"]
        before = step["problems"]
        yield [step["step"], step["problems"], step["distinct"], left_out]


def _doubles(doubles: Sequence[Mapping[str, Any]]) -> str:
    if not doubles:
        return "No problem occurs twice."
    lines = [f"{len(doubles)} problems occur more than once; the copy named first is kept."]
    for double in doubles:
        copies = "; ".join(
            f"{copy['source']}, level {copy['level'] or 'unknown'}, answer `{copy['answer']}`"
            for copy in double["copies"]
        )
        how = "the same bytes" if double["same_bytes"] else "different in white space only"
        lines.append(f"* `{double['prompt_id']}` ({how}): {copies}")
    return "\n".join(lines)


def _pairs(pairs: Sequence[Mapping[str, Any]]) -> str:
    if not pairs:
        return ""
    table = _table(
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
    return f"{table}\n\nand {more} more in the JSON." if more > 0 else table


def _golds(audit: Mapping[str, Any]) -> str:
    rule = {
        "drop": "No arm trains on a prompt whose gold answer cannot be graded (`ungradable: drop`).",
        "keep": "All arms train on prompts whose gold answer cannot be graded (`ungradable: keep`).",
    }[audit["ungradable_rule"]]
    parts = [
        "Every gold answer is graded against itself and against an obviously wrong one, by the grader of training and "
        f"evaluation. {rule}",
        _table(
            ["set", "golds", "gradable", "not gradable"],
            (
                [name, row["graded"], row["gradable"], row["graded"] - row["gradable"]]
                for name, row in audit["golds"].items()
            ),
        ),
    ]
    if audit["ungradable"]:
        rows = ([row["set"], f"`{row['prompt_id']}`", row["reason"]] for row in audit["ungradable"])
        parts.append(_table(["set", "prompt_id", "why it cannot be graded"], rows))
    parts += [
        f"Corrected: `{row['prompt_id']}` ({row['set']}) has the gold `{row['gold']}`: {row['why']}."
        for row in audit["corrected"]
    ]
    return "\n\n".join(parts)


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|").replace("\n", " ")
