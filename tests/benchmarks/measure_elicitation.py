"""How much of training's gain a prompt alone gives the miniature's base model: a table of answers to new problems.

    python tests/benchmarks/measure_elicitation.py --results results [--configuration config.yaml] [--problems 3000]

The base model answers with and without "Show the steps. " before the prompt, words that its corpus has. The trained
models answer the plain prompts. No new problem is in the training set, the development set or a benchmark. The base
model may have read some in pre-training, so one column counts only the problems that it has not read.
"""

import argparse
import random
import re
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
import torch
import yaml

from limr.evaluation.generation import generate
from limr.evaluation.responses import Response, Sampling
from limr.files.contracts import read_parquet
from limr.files.markdown import markdown_rows
from limr.grading.reward import grade
from limr.models.checkpoint import load_checkpoint
from limr.training.miniature.corpus import CorpusMix, corpus
from limr.training.miniature.miniature_settings import PretrainingSettings
from limr.training.miniature.problems import LEVELS, Problem, stream
from limr.training.miniature.tokenizer import GUIDE

STEP = re.compile(r"(\d+)([-+*/%])(\d+)->(?=(\d+))")  # the result of a step is the first number of the next one
PRODUCTS = {(subject, level) for subject in ("Counting", "Geometry") for level in (4, 5)}  # of two-digit numbers


def new_problems(number: int, seed: int, held_out: set[str]) -> list[Problem]:
    """``number`` problems of all subjects and levels; no prompt is in ``held_out`` or occurs twice."""
    taken, problems = set(held_out), []
    for problem in islice(stream(random.Random(seed), LEVELS, taken), number):
        taken.add(problem.prompt)
        problems.append(problem)
    return problems


def read_in_pretraining(settings: Mapping[str, Any], held_out: set[str]) -> set[str]:
    """The prompts of all problems that the base model's corpus has, without "Show the steps. "."""
    mix = CorpusMix.of(PretrainingSettings(**{key: value for key, value in settings.items() if key != "prefix"}))
    examples = islice(corpus(settings["seed"], mix, held_out), settings["steps"] * settings["batch_size"])
    return {prompt.removeprefix(GUIDE) for prompt, _ in examples}


def runs(results: Path) -> dict[str, tuple[Path, str, float]]:
    """Title of each row -> model, prefix of the prompts, temperature."""
    base = results / "base_model"
    trained = {name.upper(): results / "runs" / name / "seed0" / "model" for name in ("full", "rand", "linear", "lim")}
    return {
        "base model": (base, "", 0.0),
        "base model, temperature 1.2": (base, "", 1.2),
        f'base model, "{GUIDE.strip()}"': (base, GUIDE, 0.0),
    } | {title: (model, "", 0.0) for title, model in trained.items()}


def measure(problems: list[Problem], responses: list[Response], read: set[str]) -> dict[str, float]:
    """The columns of one row of the table: shares, and the mean number of tokens."""
    verdicts = [grade(r.text, p.answer, r.truncated) for p, r in zip(problems, responses, strict=True)]
    numbers = [re.findall(r"\d+", response.text)[-1:] for response in responses]
    frame = pl.DataFrame(
        {
            "correct": [verdict.correct for verdict in verdicts],
            "last": [number == [problem.answer] for number, problem in zip(numbers, problems, strict=True)],
            "boxed": [verdict.formatted for verdict in verdicts],
            "unread": [problem.prompt not in read for problem in problems],
            "reachable": [(problem.subject, problem.level) not in PRODUCTS for problem in problems],
            "steps": [right_steps(response.text) for response in responses],
        }
    )
    small = frame.filter("reachable")
    return {
        "correct": frame["correct"].mean(),
        "last number right": frame["last"].mean(),
        "the same, unread problems": frame.filter("unread")["last"].mean(),
        "the same, without large products": small["last"].mean(),
        "boxed": frame["boxed"].mean(),
        "correct of the boxed": frame.filter("boxed")["correct"].mean(),
        "shows steps": (frame["steps"].list.len() > 0).mean(),
        "right steps, without large products": small["steps"].explode().mean(),
        "tokens": sum(response.tokens for response in responses) / len(responses),
    }


def right_steps(response: str) -> list[bool]:
    """For each step of a response, whether its result is right.

    >>> right_steps("21/3->7-4->3*2->5")
    [True, True, False]
    """
    return [_is_right(int(left), sign, int(right), int(result)) for left, sign, right, result in STEP.findall(response)]


def _is_right(left: int, sign: str, right: int, result: int) -> bool:
    if sign == "/":
        return result * right == left
    if sign == "%":
        return right > 0 and left % right == result
    return {"+": left + right, "-": left - right, "*": left * right}[sign] == result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("results"), help="of a finished run of seed 0 (results)")
    parser.add_argument("--configuration", type=Path, default=Path("config.yaml"), help="of this run (config.yaml)")
    parser.add_argument("--problems", type=int, default=3000, help="number of new problems (3000)")
    parser.add_argument("--seed", type=int, default=2, help="of the new problems and of the temperature's draws (2)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    configuration = yaml.safe_load(options.configuration.read_text(encoding="utf-8"))
    data = options.results / "data"
    files = [data / "train.parquet", data / "development.parquet", *sorted((data / "benchmarks").glob("*.parquet"))]
    held_out = {prompt for file in files for prompt in read_parquet(file, "prompts")["prompt"]}
    problems = new_problems(options.problems, options.seed, held_out)
    read = read_in_pretraining(configuration["base_model"], held_out)
    tokens = configuration["evaluation"]["max_response_tokens"]
    rows = []
    for title, (model, prefix, temperature) in runs(options.results).items():
        network, tokenizer = load_checkpoint(model)
        sampling = Sampling(1, temperature, 1.0, tokens, batch_size=256, seed=options.seed)
        prompts = [prefix + problem.prompt for problem in problems]
        responses = [response for (response,) in generate(network, tokenizer, prompts, sampling, title)]
        row = measure(problems, responses, read)
        rows.append([title, *(f"{100 * value:.1f}" for value in list(row.values())[:-1]), f"{row['tokens']:.1f}"])
    print(markdown_rows(["model", *row], rows))
    unread = sum(problem.prompt not in read for problem in problems)
    products = sum((problem.subject, problem.level) in PRODUCTS for problem in problems)
    print(f"\n{len(problems):,} problems: {unread:,} not read in pre-training, {products:,} with large products")


if __name__ == "__main__":
    main()
