"""What the LIMR paper printed in its Tables 1 and 2, and what follows from its counts.

The numbers and their sources are in ``published_results.toml``. Tables of this project mark them as the paper's.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from limr.errors import LimrError


@dataclass(frozen=True)
class Comparison:
    """Two methods of the paper on one benchmark: correct answers of each, of ``answers``, and the test's p-value."""

    benchmark: str
    answers: int
    first: int
    second: int
    p_value: float


@cache
def published() -> dict[str, Any]:
    """The content of ``published_results.toml``."""
    return tomllib.loads(files("limr.report").joinpath("published_results.toml").read_text(encoding="utf-8"))


def correct_answers(method: str, benchmark: str) -> int:
    """The number of correct answers behind a printed accuracy.

    One decimal of a percentage is enough to know it: one answer is 0.2 points or more on each benchmark.

    >>> correct_answers("lim", "math500"), correct_answers("full", "math500")
    (390, 383)
    """
    printed, answers = published()["methods"][method][benchmark], _answers(benchmark)
    count = round(printed * answers / 100)
    if abs(100 * count / answers - printed) > 0.05 + 1e-9:
        raise LimrError(
            where=f"published_results.toml, {method}, {benchmark}",
            found=f"{printed} %",
            expected=f"a share of {answers} answers",
        )
    return count


def compare(first: str, second: str) -> list[Comparison]:
    """Two methods of the paper on each benchmark, with Fisher's exact test (two-sided).

    The test takes all answers as independent. The paper does not say which problems each model solved, so no paired
    test is possible.
    """
    from scipy.stats import fisher_exact  # slow to import, and Table 2 needs only the accuracies

    rows = []
    for benchmark in published()["benchmarks"]:
        answers = _answers(benchmark)
        counts = [correct_answers(method, benchmark) for method in (first, second)]
        p_value = fisher_exact([[count, answers - count] for count in counts]).pvalue
        rows.append(Comparison(benchmark, answers, *counts, p_value=float(p_value)))
    return rows


def _answers(benchmark: str) -> int:
    row = published()["benchmarks"][benchmark]
    return row["problems"] * row["samples"]
