r"""Accuracy that also counts an answer without a box: the last number of the response.

The reward counts boxed answers only. A base model that was never trained on this reward often gives the right number
without a box, so the reward's count says too little about what a prompt brings out.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from limr.errors import LimrError
from limr.files.contracts import read_parquet
from limr.grading.boxes import find_boxes
from limr.grading.equivalence import LIMR, equal

# A minus sign after a digit, a letter or a closing bracket subtracts: the last number of "7-4" is 4.
_NUMBER = re.compile(r"(?:(?<![\w)\]}])-)?[0-9]+(?:,[0-9]{3}(?![0-9]))*(?:\.[0-9]+)?")


def last_number(response: str) -> str | None:
    r"""The last number of ``response``, with the digits 0 to 9, or None.

    >>> last_number("19+2->21/3->7-4"), last_number("so x = -1,250.5."), last_number("none")
    ('4', '-1,250.5', None)
    """
    return next(reversed(_NUMBER.findall(response)), None)


def with_last_numbers(problems: Mapping[str, Path], grader: str = LIMR) -> Callable[[pl.DataFrame], pl.Series]:
    """A function from an evaluation (rows of the contract) to whether each of its answers is correct.

    A response with a closed box counts as it does for the reward. Otherwise the grader compares the last number of the
    response with the gold answer. ``problems``: benchmark -> the file with its problems.

    The function raises LimrError for an answer to a problem that the file lacks.
    """
    golds = {
        name: dict(read_parquet(file, "prompts").select("prompt_id", "answer").iter_rows())
        for name, file in problems.items()
    }

    def gold(benchmark: str, problem: str) -> str:
        if problem not in golds[benchmark]:
            raise LimrError(
                f"has no problem {problem}, which an evaluation answers",
                where=problems[benchmark],
                advice="Both must come from the same benchmark. Delete the older one and make it again.",
            )
        return golds[benchmark][problem]

    def verdicts(answers: pl.DataFrame) -> pl.Series:
        rows = answers.select("benchmark", "problem_id", "response", "correct").iter_rows()
        return pl.Series(
            [
                correct or _is_last_number(gold(benchmark, problem), response, grader)
                for benchmark, problem, response, correct in rows
            ],
            dtype=pl.Boolean,
        )

    return verdicts


def _is_last_number(gold: str, response: str, grader: str) -> bool:
    if find_boxes(response).last is not None:
        return False
    number = last_number(response)
    return number is not None and equal(gold, number, grader).equal
