"""The miniature's problems as files: the training set, the development set and the benchmarks."""

import random
from collections.abc import Collection, Iterator, Mapping
from itertools import islice, repeat
from pathlib import Path
from typing import Any

import polars as pl

from limr.errors import LimrError
from limr.files.contracts import write_parquet
from limr.prompts import prompt_id
from limr.training.miniature.one_step_longer import LEVEL, LONGER, draw_longer
from limr.training.miniature.pool import break_golds, draw_pool
from limr.training.miniature.problems import LEVELS, SUBJECTS, Problem, draw, stream, unseen
from limr.training.miniature.wording import other_wording


def prepare(data: Mapping[str, Any], benchmarks: Mapping[str, Any], outputs: Mapping[str, Path]) -> None:
    """Draw the benchmarks, the development set and the training problems, and write one prompts file for each.

    ``data``: the ``seed``, the numbers of problems ``train`` and ``development``, and perhaps ``pool`` (see
    limr/training/miniature/pool.py). ``benchmarks``: name to ``problems`` (a number), ``levels``, and perhaps
    ``wording``. ``outputs``: the paths of ``train``, ``development`` and each benchmark, and of ``broken_golds`` if the
    pool has some.

    No problem occurs twice, within a file or between files, in either wording. Raises LimrError when there are not
    enough problems.
    """
    rng, pool = random.Random(data["seed"]), data.get("pool", {})
    taken: set[str] = set()
    drawn: dict[str, list[Problem]] = {}
    for name, row in (
        dict(benchmarks) | {other: {"problems": data[other]} for other in ("development", "train")}
    ).items():
        count, drawn[name] = row["problems"], []
        problems = _stream(rng, row.get("levels", LEVELS), taken)
        if name == "train" and {"beyond", "easy"} & set(pool):
            problems = draw_pool(count, pool.get("beyond"), pool.get("easy"), data["seed"], taken)
        try:
            for problem in islice(problems, count):
                taken.add(problem.prompt)
                drawn[name].append(problem)
        except LimrError as error:
            error.found, error.expected = f"{len(drawn[name]):,} problems", f"{count:,}"
            error.inside(name)
            raise
    if "broken" in pool:
        drawn["train"], right_answers = break_golds(drawn["train"], pool["broken"], data["seed"])
        write_parquet(_broken(right_answers), outputs["broken_golds"], "broken_golds")
    for name, problems in drawn.items():
        write_parquet(_as_frame(problems, benchmarks.get(name, {}).get("wording")), outputs[name], "prompts")


def _stream(rng: random.Random, levels: Collection[int], taken: set[str]) -> Iterator[Problem]:
    """``stream``, with level 6 too; a draw of level 6 has one of the subjects that have this level."""
    if LEVEL not in levels:
        return stream(rng, levels, taken)
    ordered = sorted(levels)
    return unseen((_draw(rng.choice(ordered), rng) for _ in repeat(None)), taken, f"levels {ordered}")


def _draw(level: int, rng: random.Random) -> Problem:
    if level == LEVEL:
        return draw_longer(rng.choice(list(LONGER)), rng)
    return draw(rng.choice(list(SUBJECTS)), level, rng)


def _broken(right_answers: Mapping[str, str]) -> pl.DataFrame:
    rows = {"prompt_id": map(prompt_id, right_answers), "right_answer": right_answers.values()}
    return pl.DataFrame(
        {name: list(values) for name, values in rows.items()}, {"prompt_id": pl.String, "right_answer": pl.String}
    )


def _as_frame(problems: list[Problem], wording: str | None) -> pl.DataFrame:
    prompts = [
        other_wording(problem.subject, problem.prompt) if wording == "other" else problem.prompt for problem in problems
    ]
    return pl.DataFrame(
        {
            "prompt_id": [prompt_id(prompt) for prompt in prompts],
            "prompt": prompts,
            "answer": [problem.answer for problem in problems],
            "level": [problem.level for problem in problems],
            "subject": [problem.subject for problem in problems],
            "source": "miniature",
            "gradable": True,
        }
    )
