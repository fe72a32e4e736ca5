"""Checks of the base model and of the data, with the grader on every gold answer."""

from collections.abc import Iterable
from pathlib import Path

from limr.errors import LimrError
from limr.grading.equivalence import LIMR
from limr.preflight import estimates
from limr.preflight.facts import Facts
from limr.preflight.finding import Found


def base_model(facts: Facts) -> Iterable[Found]:
    """Check all files of a model on this machine, or the small files of a model on the hub."""
    from limr.data.hub import hub_file
    from limr.models.model_files import REQUIRED, local_files

    base = facts.base_model
    if facts.config is None:
        yield "made by the workflow"
        return
    shape = estimates.shape_of(facts.config)
    if (facts.results / "base_model").is_dir() or "path" in base:
        from limr.models.checkpoint import check_checkpoint

        folder = facts.results / "base_model" if (facts.results / "base_model").is_dir() else Path(base["path"])
        local_files(folder)
        check_checkpoint(folder)
        where = str(folder)
    else:
        for name in REQUIRED:
            hub_file(base["repository"], base["revision"], name, "model")
        where = f"the hub has {base['repository']}@{base['revision'][:12]}"
    yield from _too_long(facts, where)
    yield from _beyond_positions(facts)
    yield f"{where}: {shape.parameters:,} parameters"


def _too_long(facts: Facts, where: str) -> Iterable[LimrError]:
    """A problem for each section with sequences that are longer than the model's positions."""
    positions = facts.config.get("max_position_embeddings") or 0
    needed = {"evaluation.max_response_tokens with a prompt": facts.evaluation["max_response_tokens"] + 1}
    if facts.trains:
        tokens = facts.training["max_prompt_tokens"] + facts.training["max_response_tokens"]
        needed["training.max_prompt_tokens with max_response_tokens"] = tokens
    for settings, tokens in needed.items():
        if tokens > positions:
            yield LimrError(
                where=where,
                found=f"{positions:,} positions (max_position_embeddings in config.json)",
                expected=f"{tokens:,} or more, for {settings}",
                advice="Lower the setting, or name another model.",
            )


def _beyond_positions(facts: Facts) -> Iterable[str]:
    """What to know where solutions may be longer than the model's positions: training still works."""
    positions = facts.config.get("max_position_embeddings") or 0
    for name, row in facts.configuration.get("supervised", {}).items():
        if row["max_tokens"] > positions:
            yield (
                f"supervised.{name}: solutions of up to {row['max_tokens']:,} tokens train positions after the "
                f"{positions:,} of max_position_embeddings; answers to the benchmarks are shorter"
            )


def solutions(facts: Facts) -> Iterable[Found]:
    """Check every set of solutions of supervised fine-tuning."""
    from limr.data.distilled import DISTILLED, load_solutions

    for name, row in facts.configuration.get("supervised", {}).items():
        source = row["solutions"]["source"]
        if source not in DISTILLED:
            yield f"supervised.{name}: made by the workflow"
            continue
        try:
            yield f"supervised.{name}: {len(load_solutions(row['solutions'])):,} solutions of {DISTILLED[source].title}"
        except LimrError as error:
            yield error.inside(f"supervised.{name}.solutions")


def data(facts: Facts) -> Iterable[Found]:
    """Check every source of problems, and the grader on every gold answer."""
    from limr.data.download import load_problems
    from limr.data.gradability import ungradable
    from limr.data.sources import MATH, SOURCES, local_file

    data, grader = facts.configuration["data"], facts.configuration["reward"].get("grader", LIMR)
    if data["source"] != "math":
        yield "made by the workflow"
        return
    for name, source in SOURCES.items():
        try:
            problems = load_problems(name, local_file(name, data.get("files")))
        except LimrError as error:
            yield error
            continue
        reasons = ungradable(problems["answer"].to_list(), grader)
        number = f"{len(problems):,} problems"
        if reasons and name not in MATH:  # training drops such prompts; a benchmark keeps all
            gold, reason = next(iter(reasons.items()))
            yield LimrError(
                f"the grader cannot grade {len(reasons)} of the gold answers of {number}, e.g. {gold!r}: {reason}",
                where=source.title,
                advice="Install the pinned versions of math-verify and its parser (constraints.txt).",
            )
        else:
            but = f" but {len(reasons)}" if reasons else ""
            yield f"{source.title}: {number}; the grader grades all gold answers{but}"
