"""The caption of Table 2: the run, the versions of packages, and how the intervals were computed."""

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from limr import __version__
from limr.errors import shown
from limr.files.markdown import as_written
from limr.grading.equivalence import LIMR
from limr.report.seed_intervals import FEWEST_SEEDS
from limr.report.style import BASE_PROMPT, method_title
from limr.report.training_runs import TrainingRun, number_range

_PACKAGES = ("torch", "transformers", "polars", "snakemake")
_MINIATURE = (
    "**This is the miniature:** synthetic problems and a tiny model pre-trained from scratch. "
    "Its numbers are not the paper's, and nothing about the paper's models follows from them."
)


def versions() -> dict[str, str]:
    """Versions of Python, this package and the packages that affect the numbers."""
    # limr need not be installed: Snakemake finds it in the checkout
    known = {"python": platform.python_version(), "limr": __version__}
    return known | {package: version(package) for package in _PACKAGES}


def digest(configuration: Mapping[str, Any]) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of ``configuration`` as canonical JSON.

    >>> digest({"seeds": [0], "report": {}}) == digest({"report": {}, "seeds": [0]}) != digest({"seeds": [1]})
    True
    """
    canonical = json.dumps(configuration, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def caption(
    configuration: Mapping[str, Any],
    configuration_files: Sequence[str],
    runs: Mapping[str, Sequence[TrainingRun]],
    problems: Mapping[str, int],
    gradable: Sequence[bool],
    zero_width: bool,
) -> str:
    """The caption as Markdown paragraphs.

    ``problems`` is the number of problems of each benchmark. ``gradable`` has one value per training prompt:
    whether its gold answer can be graded. ``zero_width`` is whether an interval of the table has no width.

    Two runs of one configuration give the same caption, so it contains no times: these are in wall_times.md.
    """
    lines = [
        _subject(configuration),
        _run(configuration, configuration_files, runs),
        *_ungradable(configuration, gradable),
        *_prefix(configuration),
        _benchmarks(configuration, problems),
        _intervals(configuration, zero_width),
        "Versions: " + ", ".join(f"{package} {number}" for package, number in versions().items()) + ".",
        "Wall times and peak memory of the stages: [wall_times.md](wall_times.md).",
    ]
    return "\n\n".join(lines) + "\n"


def _subject(configuration: Mapping[str, Any]) -> str:
    source, engine = configuration["data"]["source"], configuration["training"]["engine"]
    what = f"Problems: {source}. Training: {engine}. Evaluation: {configuration['evaluation']['engine']}."
    return f"{_MINIATURE} {what}" if "miniature" in (source, engine) else what


def _run(
    configuration: Mapping[str, Any], configuration_files: Sequence[str], runs: Mapping[str, Sequence[TrainingRun]]
) -> str:
    every = [run for several in runs.values() for run in several]
    seeds = configuration["seeds"]
    return (
        f"Configuration: {', '.join(f'`{name}`' for name in configuration_files)}, "
        f"digest `{digest(configuration)}` (in full in table2.json); "
        f"{'seed' if len(seeds) == 1 else 'mean over the seeds'} {', '.join(map(str, seeds))}. "
        f"Each training run: {number_range(run.steps for run in every)} steps, "
        f"{number_range(run.rollouts for run in every)} rollouts."
    )


def _ungradable(configuration: Mapping[str, Any], gradable: Sequence[bool]) -> list[str]:
    """The number of training prompts that cannot be graded, and whether methods train on them; empty if none."""
    failing = len(gradable) - sum(gradable)
    if not failing:
        return []
    kept = configuration["data"].get("ungradable") == "keep"
    return [
        f"Of the {len(gradable):,} training prompts {failing:,} "
        f"{'has' if failing == 1 else 'have'} a gold answer that cannot be graded (no response can earn the reward): "
        f"{'every method trains on them as on any other prompt' if kept else 'no method trains on them'}."
    ]


def _prefix(configuration: Mapping[str, Any]) -> list[str]:
    """What the row of the base model with a prompt is; empty without this row."""
    prefix = configuration.get("base_model", {}).get("prefix")
    if prefix is None:
        return []
    return [
        f"{method_title(BASE_PROMPT)}: the base model without training, with the text "
        f"{as_written(shown(prefix, most=1000))} before every problem; all other rows answer without it. Only boxed "
        "answers count, as in every row. The table of last numbers also counts a response without a closed box if its "
        "last number is equal to the gold answer for the same grader."
    ]


def _benchmarks(configuration: Mapping[str, Any], problems: Mapping[str, int]) -> str:
    evaluation = configuration["evaluation"]
    settings = [
        f"{as_written(benchmark['title'])} ({problems[name]:,} problems{_mirrored(benchmark)}): "
        + sampling(benchmark, evaluation["top_p"])
        for name, benchmark in configuration["benchmarks"].items()
    ]
    return (
        f"Accuracy in percent. {'; '.join(settings)}. Responses of up to {evaluation['max_response_tokens']:,} tokens. "
        f"{_grader(configuration)}Average: the unweighted mean of the benchmarks."
    )


def _grader(configuration: Mapping[str, Any]) -> str:
    """A sentence that names the grader, if it is not this project's own."""
    if configuration.get("reward", {}).get("grader", LIMR) == LIMR:
        return ""
    return f"Plain Math-Verify {version('math-verify')} compares the answers with the gold answers. "


def _mirrored(benchmark: Mapping[str, Any]) -> str:
    reworded = ", in other words than the training set" if benchmark.get("wording") == "other" else ""
    return reworded + (f", mirrors {as_written(benchmark['mirrors'])}" if "mirrors" in benchmark else "")


def sampling(benchmark: Mapping[str, Any], top_p: float) -> str:
    """How the answers to a benchmark are sampled.

    >>> sampling({"samples": 4, "temperature": 0.4}, 0.95)
    '4 samples a problem, temperature 0.4, top-p 0.95'
    """
    if benchmark["temperature"] == 0:
        return "greedy"
    return f"{benchmark['samples']} samples a problem, temperature {benchmark['temperature']}, top-p {top_p}"


def _intervals(configuration: Mapping[str, Any], zero_width: bool) -> str:
    seeds = len(configuration["seeds"])
    text = _over_seeds(configuration) if seeds >= FEWEST_SEEDS else _over_problems(configuration)
    if zero_width:
        cause = "every seed" if seeds >= FEWEST_SEEDS else "every problem"
        text += f" An interval without width means that {cause} had the same result, not that the result is certain."
    return text


def _over_seeds(configuration: Mapping[str, Any]) -> str:
    return (
        f"In brackets: {100 * configuration['report']['confidence']:g} % intervals of Student's t over the "
        f"{len(configuration['seeds'])} seeds, for these problems; differences are paired by seed. The interval of a "
        "share is Fieller's. p: two-sided paired t tests over the seeds. p (Holm): corrected for all the differences "
        "of its table."
    )


def _over_problems(configuration: Mapping[str, Any]) -> str:
    report = configuration["report"]
    several = len(configuration["seeds"]) > 1
    drawn = "problems (their samples stay together)" + (" and seeds" if several else "")
    text = (
        f"In brackets: {100 * report['confidence']:g} % percentile bootstrap intervals over {drawn}, "
        f"{report['bootstrap_resamples']:,} resamples; differences are paired by problem and seed."
    )
    return text if several else f"{text} With one seed, they do not include the differences between training runs."
