"""The base model and the data, and the grader on every gold answer."""

from collections.abc import Iterable
from pathlib import Path

from limr.errors import LimrError
from limr.preflight import estimates
from limr.preflight.facts import Facts, Problem


def base_model(facts: Facts) -> Iterable[str]:
    """All of a model that is here, or the small files of one on the hub."""
    from limr.data.hub import hub_file
    from limr.models.base_model import REQUIRED, local_files

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
    yield f"{where}: {shape.parameters:,} parameters"


def _too_long(facts: Facts, where: str) -> Iterable[Problem]:
    """What is longer than the model has positions for."""
    room = facts.config.get("max_position_embeddings") or 0
    needed = {"evaluation.max_response_tokens with a prompt": facts.evaluation["max_response_tokens"] + 1}
    if facts.trains:
        tokens = facts.training["max_prompt_tokens"] + facts.training["max_response_tokens"]
        needed["training.max_prompt_tokens with max_response_tokens"] = tokens
    for settings, tokens in needed.items():
        if tokens > room:
            yield Problem(
                f"{where}: it has {room:,} positions (max_position_embeddings in config.json), and {settings} need "
                f"{tokens:,} or more: lower the setting, or name another model"
            )


def data(facts: Facts) -> Iterable[str]:
    """Every source of problems, and every gold answer through the grader."""
    from limr.data.download import load_problems
    from limr.data.gradability import ungradable
    from limr.data.sources import MATH, SOURCES, local_file

    data = facts.configuration["data"]
    if data["source"] != "math":
        yield "made by the workflow"
        return
    for name, source in SOURCES.items():
        try:
            problems = load_problems(name, local_file(name, data.get("files")))
        except LimrError as error:
            yield Problem(str(error))
            continue
        wrong = ungradable(problems["answer"].to_list())
        of_benchmark = name not in MATH
        text = f"{source.title}: {len(problems):,} problems"
        if wrong and of_benchmark:
            gold, reason = next(iter(wrong.items()))
            yield Problem(
                f"{text}; the grader fails on {len(wrong)} of their gold answers: {gold!r}: {reason}. Install the "
                "pinned versions of math-verify and its parser (constraints.txt)"
            )
        else:
            yield f"{text}; the grader knows all their gold answers" + (f" but {len(wrong)}" if wrong else "")
