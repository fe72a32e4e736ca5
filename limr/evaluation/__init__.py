"""Evaluation: a model answers the problems of the benchmarks; every sample is graded and kept."""

import importlib
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from limr.errors import LimrError, one_of, shown
from limr.evaluation.responses import Response, Sampling, seed_from
from limr.files.contracts import read_parquet, write_parquet
from limr.grading.equivalence import LIMR
from limr.grading.reward import grade

logger = logging.getLogger(__name__)

# engine -> the module with its function `answers`
ENGINES = {"transformers": "limr.evaluation.generation", "vllm": "limr.evaluation.vllm"}


def evaluate(
    model: Path,
    benchmarks: Mapping[str, Path],
    benchmark_settings: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, Any],
    method: str,
    seed: int,
    outputs: Mapping[str, Path],
) -> None:
    """Answer every problem of every benchmark with the model in directory ``model`` and write the graded samples.

    ``outputs`` maps the name of a benchmark to the file to write (contract evaluation). The other arguments are those
    of ``graded_answers``.
    """
    for name, graded in graded_answers(model, benchmarks, benchmark_settings, settings, method, seed):
        write_parquet(graded, outputs[name], "evaluation")


def graded_answers(
    model: Path,
    benchmarks: Mapping[str, Path],
    benchmark_settings: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, Any],
    method: str,
    seed: int,
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Each benchmark with the graded answers of the model in directory ``model``: rows of contract evaluation.

    ``benchmarks`` maps the name of a benchmark to its problems (contract prompts). ``benchmark_settings`` holds the
    ``samples`` per problem and the ``temperature`` (0: greedy) of each benchmark. ``settings`` is the ``evaluation``
    section with ``reward_rule``, ``system_prompt`` and, if it is not the default, ``grader``. Its ``prefix``, if it
    has one, is a text before every problem. A response with no end token within ``max_response_tokens`` is truncated,
    and the reward counts it as malformed.

    The samples of a benchmark depend on ``(seed, benchmark)``, not on the other benchmarks. All models get the same
    random draws, because each batch (``transformers``) or sample (``vllm``) has its own seed.

    Raises LimrError if the checkpoint cannot be used, the engine fails, or the settings contradict each other.
    """
    answers = _engine(settings["engine"])
    samplings = {name: _sampling(name, benchmark_settings[name], settings, seed) for name in benchmarks}
    problems = {name: read_parquet(path, "prompts") for name, path in benchmarks.items()}
    for name, frame in problems.items():
        if frame.is_empty():
            raise LimrError(f"benchmark {name} has no problems", where=benchmarks[name])
    prefix = settings.get("prefix", "")
    prompts = {name: [prefix + prompt for prompt in frame["prompt"]] for name, frame in problems.items()}
    for name, responses in answers(model, prompts, samplings, settings, method):
        graded = _grade(problems[name], responses, settings["reward_rule"], settings.get("grader", LIMR)).with_columns(
            method=pl.lit(method), seed=pl.lit(seed), benchmark=pl.lit(name)
        )
        logger.info(
            "%s, seed %d, %s: %d problems x %d samples, accuracy %.1f %%, mean length %.1f tokens",
            method,
            seed,
            name,
            problems[name].height,
            samplings[name].samples,
            100 * graded["correct"].mean(),
            graded["response_tokens"].mean(),
        )
        yield name, graded


def _engine(name: str) -> Callable[..., Any]:
    """The function ``answers`` of an engine. Only this call imports the engine's libraries."""
    if name not in ENGINES:
        raise LimrError(where="evaluation.engine", found=shown(name), expected=one_of(ENGINES))
    return importlib.import_module(ENGINES[name]).answers


def _sampling(name: str, benchmark: Mapping[str, Any], settings: Mapping[str, Any], seed: int) -> Sampling:
    if benchmark["temperature"] == 0 and benchmark["samples"] > 1:
        raise LimrError(
            "at temperature 0 all samples are the same response",
            where=f"benchmarks.{name}",
            found=f"{benchmark['samples']} samples",
            expected="1",
            advice="Set samples to 1, or temperature above 0.",
        )
    return Sampling(
        samples=benchmark["samples"],
        temperature=benchmark["temperature"],
        top_p=settings["top_p"],
        max_response_tokens=settings["max_response_tokens"],
        batch_size=settings["batch_size"],
        seed=seed_from(seed, name),
    )


def _grade(problems: pl.DataFrame, responses: list[list[Response]], reward_rule: str, grader: str) -> pl.DataFrame:
    """One row per problem and sample; ``responses`` has one list per problem, in the order of ``problems``."""
    rows = []
    for problem, answers in zip(problems.iter_rows(named=True), responses, strict=True):
        for sample, response in enumerate(answers):
            verdict = grade(response.text, problem["answer"], response.truncated, reward_rule, grader)
            rows.append(
                {
                    "problem_id": problem["prompt_id"],
                    "sample": sample,
                    "response": response.text,
                    "answer": verdict.answer,
                    "correct": verdict.correct,
                    "response_tokens": response.tokens,
                }
            )
    return pl.DataFrame(rows, schema_overrides={"answer": pl.String})
