"""Evaluation: a model answers the benchmarks' problems; every sample is graded and kept."""

import importlib
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from limr.errors import LimrError
from limr.evaluation.responses import Response, Sampling, seed_from
from limr.files.contracts import read_parquet, write_parquet
from limr.grading.reward import grade

logger = logging.getLogger(__name__)

ENGINES = {"transformers": "limr.evaluation.generation", "vllm": "limr.evaluation.vllm"}  # module with `answers`


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

    ``benchmarks`` and ``outputs`` map a benchmark's name to its problems (contract prompts) and to the file to write
    (contract evaluation). ``benchmark_settings`` holds a benchmark's ``samples`` a problem and ``temperature`` (0:
    greedy); ``settings`` is the ``evaluation`` section with ``reward_rule`` and ``system_prompt``. A response without
    an end token within ``max_response_tokens`` is truncated, which the reward counts as malformed.

    The samples of a benchmark follow from ``(seed, benchmark)``, whatever else is evaluated, and are the same draws
    for every method: a batch (``transformers``) or a sample (``vllm``) has a seed of its own.

    Raises LimrError when the checkpoint cannot be used, the engine fails, or the settings contradict each other.
    """
    answers = _engine(settings["engine"])
    samplings = {name: _sampling(name, benchmark_settings[name], settings, seed) for name in benchmarks}
    problems = {name: read_parquet(path, "prompts") for name, path in benchmarks.items()}
    for name, frame in problems.items():
        if frame.is_empty():
            raise LimrError(f"{benchmarks[name]}: benchmark {name} has no problems")
    prompts = {name: frame["prompt"].to_list() for name, frame in problems.items()}
    for name, responses in answers(model, prompts, samplings, settings, method):
        graded = _grade(problems[name], responses, settings["reward_rule"]).with_columns(
            method=pl.lit(method), seed=pl.lit(seed), benchmark=pl.lit(name)
        )
        write_parquet(graded, outputs[name], "evaluation")
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


def _engine(name: str) -> Callable[..., Any]:
    """The function ``answers`` of an engine, whose libraries are imported now and not before."""
    if name not in ENGINES:
        raise LimrError(f"evaluation.engine: found {name!r}, expected {' or '.join(ENGINES)}")
    return importlib.import_module(ENGINES[name]).answers


def _sampling(name: str, benchmark: Mapping[str, Any], settings: Mapping[str, Any], seed: int) -> Sampling:
    if benchmark["temperature"] == 0 and benchmark["samples"] > 1:
        raise LimrError(
            f"benchmarks.{name}: {benchmark['samples']} samples at temperature 0 would all be the same response; "
            "set samples to 1 or temperature above 0"
        )
    return Sampling(
        samples=benchmark["samples"],
        temperature=benchmark["temperature"],
        top_p=settings["top_p"],
        max_response_tokens=settings["max_response_tokens"],
        batch_size=settings["batch_size"],
        seed=seed_from(seed, name),
    )


def _grade(problems: pl.DataFrame, responses: list[list[Response]], reward_rule: str) -> pl.DataFrame:
    rows = []
    for problem, answers in zip(problems.iter_rows(named=True), responses, strict=True):
        for sample, response in enumerate(answers):
            verdict = grade(response.text, problem["answer"], response.truncated, reward_rule)
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
