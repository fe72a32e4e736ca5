"""What training teaches the miniature's base model that no prompt and no vote brings out: a table.

    python tests/benchmarks/measure_teaching.py --results results [--problems 3000]

All models answer the same new problems, which are in no file of the run. The base model answers them as they are; with
"Show the steps. " before them, words that its corpus has; and 16 times at temperature 1, where the most frequent number
is its vote, and *one of 16* counts a problem as solved if any response is right. The last number of a response counts,
with or without a box. *Mistake* is the share of the problems with a common mistake that get its answer.
"""

import argparse
import random
import re
from collections import Counter
from itertools import islice
from pathlib import Path

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from limr.evaluation.generation import generate
from limr.evaluation.responses import Sampling
from limr.files.contracts import read_parquet
from limr.files.markdown import markdown_rows
from limr.models.checkpoint import load_checkpoint
from limr.training.miniature.pool import BEYOND
from limr.training.miniature.problems import LEVELS, Problem, stream
from limr.training.miniature.tokenizer import GUIDE

MAX_TOKENS, SEED, VOTES = 40, 2, 16


def new_problems(number: int, held_out: set[str]) -> list[Problem]:
    """``number`` problems of all subjects and levels; no prompt is in ``held_out`` or occurs twice."""
    taken, problems = set(held_out), []
    for problem in islice(stream(random.Random(SEED), LEVELS, taken), number):
        taken.add(problem.prompt)
        problems.append(problem)
    return problems


def answers(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, problems: list[Problem], prefix: str, samples: int
) -> list[list[str]]:
    """The last number of each response to each problem: greedy if there is one, else at temperature 1."""
    sampling = Sampling(samples, 0.0 if samples == 1 else 1.0, 1.0, MAX_TOKENS, batch_size=256, seed=SEED)
    responses = generate(model, tokenizer, [prefix + problem.prompt for problem in problems], sampling, "answers")
    return [[(re.findall(r"\d+", response.text) or [""])[-1] for response in row] for row in responses]


def row(title: str, problems: list[Problem], given: list[list[str]]) -> list[str]:
    """One row of the table: a problem is solved if one of its ``given`` answers is right."""
    solved = [problem.answer in row for problem, row in zip(problems, given, strict=True)]
    mistaken = [p.mistake[0] in row for p, row in zip(problems, given, strict=True) if p.mistake]
    reachable = [is_solved for p, is_solved in zip(problems, solved, strict=True) if (p.subject, p.level) not in BEYOND]
    levels = [[is_solved for p, is_solved in zip(problems, solved, strict=True) if p.level == n] for n in LEVELS]
    return [title, *(f"{100 * sum(part) / len(part):.1f}" for part in (solved, reachable, mistaken, *levels))]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("results"), help="of a finished run of seed 0 (results)")
    parser.add_argument("--problems", type=int, default=3000, help="number of new problems (3000)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    data, base = options.results / "data", options.results / "base_model"
    files = [data / "train.parquet", data / "development.parquet", *sorted((data / "benchmarks").glob("*.parquet"))]
    problems = new_problems(
        options.problems, {prompt for file in files for prompt in read_parquet(file, "prompts")["prompt"]}
    )
    sampled = answers(*load_checkpoint(base), problems, "", VOTES)
    votes = [[Counter(row).most_common(1)[0][0]] for row in sampled]
    rows = [
        row("base model", problems, answers(*load_checkpoint(base), problems, "", 1)),
        row(f'base model, "{GUIDE.strip()}"', problems, answers(*load_checkpoint(base), problems, GUIDE, 1)),
        row(f"base model, vote of {VOTES}", problems, votes),
        row(f"base model, one of {VOTES}", problems, sampled),
    ]
    for model in sorted((options.results / "runs").glob("*/seed0/model")):
        rows.append(row(model.parts[-3], problems, answers(*load_checkpoint(model), problems, "", 1)))
    columns = ["right", "right, within reach", "mistake", *(f"level {level}" for level in LEVELS)]
    print(markdown_rows(["model", *columns], rows))


if __name__ == "__main__":
    main()
