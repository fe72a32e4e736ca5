"""Worked solutions of fresh hard problems: what supervised fine-tuning of the miniature reads.

The solver is the generator of the problems itself. It knows each subject's procedure, so its solutions show all steps,
are right and end in a box.
"""

import random
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from limr.errors import LimrError
from limr.files.contracts import read_parquet, write_parquet
from limr.jobs.run_counts import number_of_solutions
from limr.prompts import prompt_id
from limr.training.miniature.problems import Problem, stream
from limr.training.miniature.tokenizer import BOX
from limr.training.miniature.wording import ordinary_wording

SOURCE = "miniature"


def write_solutions(
    settings: Mapping[str, Any], data: Mapping[str, Any], others: Sequence[Path], seed: int, output: Path
) -> None:
    """Draw problems and write their worked solutions (contract solutions).

    ``settings``: ``levels``, and ``share``, the number of problems as a share of ``data["train"]``. ``others``: files
    of contract prompts, of which no prompt is drawn. The draw depends on ``data["seed"]`` and ``seed``.

    Raises LimrError when there are not enough problems.
    """
    number = number_of_solutions(settings["share"], data["train"])
    taken = {ordinary_wording(prompt) for path in others for prompt in read_parquet(path, "prompts")["prompt"]}
    rng = random.Random(f"worked solutions {data['seed']} {seed}")
    problems: list[Problem] = []
    try:
        for problem in islice(stream(rng, settings["levels"], taken), number):
            taken.add(problem.prompt)
            problems.append(problem)
    except LimrError as error:
        error.found, error.expected = f"{len(problems):,} problems", f"{number:,}"
        raise
    rows = {
        "prompt_id": [prompt_id(problem.prompt) for problem in problems],
        "prompt": [problem.prompt for problem in problems],
        "response": [f"{problem.solution} {BOX}{problem.answer}}}" for problem in problems],
        "source": SOURCE,
    }
    write_parquet(pl.DataFrame(rows), output, "solutions")
