"""Whether the files that a stage reads are complete: they hold as many rows as the configuration or another file says.

Snakemake compares the times of files and not their rows. So a file that was cut short, or that belongs to another run,
would give another table without an error. ``stage`` therefore checks the inputs of every stage before it starts.

A file is recognised by its place in the folder of the results. It is compared with the configuration, or with the file
that it was made from, which is checked first:

- ``base_model``: the sizes of the model;
- ``data``: the number of problems, and of broken gold answers;
- ``scores``: one row per prompt of the training set (of the trajectories, for a user's own run);
- ``subsets``: the prompts that the scores select;
- ``runs``: see ``run_counts``; a trained model has the sizes of the base model;
- ``supervised``: the number of solutions, and the learning rates that were tried;
- ``evaluation_steps``: method, seed, checkpoints and problems; ``evaluation_selected``: the same, of one checkpoint;
- ``trajectories``: the visits and samples of the probe, and the counts of their audit;
- ``probe_checkpoints``: the checkpoints of the probe, and its prompts and samples;
- ``evaluation``: method, seed, problems and samples.

A file that the stage does not read, such as the scores of a subset, may be missing. Then nothing is compared with it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from filecmp import cmp
from pathlib import Path
from typing import Any

import polars as pl

from limr.errors import LimrError
from limr.files.contracts import UNREADABLE, read_parquet, unreadable
from limr.jobs.counts import delete, read_json, refuse_count, refuse_other_ids
from limr.jobs.run_counts import check_run, checkpoint_steps, number_of_solutions

_SIZES = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads")
_VISITS = "`training.steps` x `training.prompts_per_step`"
_CHECKPOINTS = "`data.train` x checkpoints"
_SAMPLES = re.compile(r"samples(\d+)$")  # the last part of the name of a folder of trajectories


@dataclass
class _Results:
    """The folder of the results, the configuration, and the files that were checked already."""

    folder: Path
    configuration: Mapping[str, Any]
    checked: set[Path] = field(default_factory=set)


def check_inputs(inputs: Iterable[str | Path], configuration: Mapping[str, Any]) -> None:
    """Check those of the ``inputs`` that lie in the folder ``results`` of the ``configuration``.

    Raises LimrError for the first file that is not complete: what it holds, what was expected, and what to do.
    """
    results = _Results(Path(configuration["results"]), configuration)
    for path in map(Path, inputs):
        if path.is_relative_to(results.folder):
            _check(path.relative_to(results.folder), results)


def _check(place: Path, results: _Results) -> None:
    """Check the file or folder at ``place``, a path in the folder of the results."""
    path = results.folder / place
    if place in results.checked or not path.exists():
        return
    results.checked.add(place)
    match place.parts:
        case ["base_model"]:
            _check_base_model(path, results)
        case ["data", "broken_golds.parquet"]:
            _check_broken_golds(path, results)
        case ["data", name] | ["data", "benchmarks", name] if name.endswith(".parquet"):
            _check_problems(path, place, results)
        case ["trajectories", name] if name.endswith(".parquet") and not name.endswith(".prompts.parquet"):
            _check_trajectories(path, results)
        case ["trajectories", part, name] if name.endswith(".parquet"):
            _check_trajectories(path, results, part)
        case ["probe_checkpoints", _, "rollouts"]:
            _check_measured(path, results)
        case ["scores", method, _]:
            _check_scores(path, method, results)
        case ["subsets", method, seed]:
            _check_subset(path, Path("scores", method, seed), results)
        case ["runs", method, seed, "rollouts" | "metrics.parquet"]:
            subset = Path("subsets", method, f"{seed}.parquet")
            _check(subset, results)
            check_run(path.parent, results.folder / subset, results.configuration["training"])
            _refuse_copy(path.parent, results)
        case ["runs", _, _, "model"]:
            _check_trained_model(path, path.parent, results)
        case ["supervised", row, _, "solutions.parquet"]:
            _check_solutions(path, row, results)
        case ["supervised", row, _, "sweep.parquet"]:
            _check_sweep(path, row, results)
        case ["supervised", _, _, _]:  # a model
            _check_trained_model(path, path, results)
        case ["data", "solutions", name] if name.endswith(".parquet"):
            number = read_json(path.with_suffix(".audit.json")).get("solutions")
            if number is not None:
                refuse_count(path, len(read_parquet(path, "solutions")), number, "solution", "as in its audit")
        case ["evaluation_selected", method, seed]:
            _check_selected(path, (method, int(Path(seed).stem.removeprefix("seed"))), results)
        case ["evaluation_steps", method, seed]:
            _check_evaluation_steps(path, (method, int(Path(seed).stem.removeprefix("seed"))), results)
        case ["evaluation", method, seed, benchmark]:
            _check_evaluation(path, (method, int(seed.removeprefix("seed")), Path(benchmark).stem), results)


def _check_base_model(path: Path, results: _Results) -> None:
    """Compare the sizes of a model that the workflow pre-trains. The configuration has no sizes of another model."""
    section = results.configuration["base_model"]
    if "hidden_size" in section:
        expected = {key: (section[key], f"{section[key]} (`base_model.{key}`)") for key in _SIZES}
        _refuse_other_sizes(path, expected, path)


def _check_trained_model(path: Path, made_again: Path, results: _Results) -> None:
    base = results.folder / "base_model"
    _check(Path("base_model"), results)
    sizes = read_json(base / "config.json")
    expected = {key: (sizes[key], f"{sizes[key]}, as in {base}") for key in _SIZES if key in sizes}
    _refuse_other_sizes(path, expected, made_again)


def _check_solutions(path: Path, row: str, results: _Results) -> None:
    share = results.configuration["supervised"][row]["solutions"]["share"]
    expected = number_of_solutions(share, results.configuration["data"]["train"])
    source = f"`supervised.{row}.solutions.share` x `data.train`"
    refuse_count(path, len(read_parquet(path, "solutions")), expected, "solution", source)


def _check_sweep(path: Path, row: str, results: _Results) -> None:
    found = read_parquet(path, "sweep")
    rates = sorted(results.configuration["supervised"][row]["learning_rates"])
    if found["learning_rate"].sort().to_list() != rates or found["chosen"].sum() != 1:
        raise LimrError(
            where=path,
            found=f"the learning rates {', '.join(f'{rate:g}' for rate in found['learning_rate'])}, "
            f"{found['chosen'].sum()} of them chosen",
            expected=f"one chosen of {', '.join(f'{rate:g}' for rate in rates)} (`supervised.{row}.learning_rates`)",
            advice=delete(path),
        )


def _refuse_other_sizes(path: Path, expected: Mapping[str, tuple[int, str]], made_again: Path) -> None:
    """``expected``: key -> the size, and how the error shows it. ``made_again`` is what the user deletes."""
    file = path / "config.json"
    found = read_json(file)
    for key, (size, shown) in expected.items():
        if found.get(key, size) != size:  # a size that the file does not name is not known
            raise LimrError(where=(file, key), found=str(found[key]), expected=shown, advice=delete(made_again))


def _check_problems(path: Path, place: Path, results: _Results) -> None:
    """The number of the miniature's problems is in the configuration, that of real ones in the audit of the data."""
    data, name = results.configuration["data"], path.stem
    if data["source"] != "miniature":
        audit = results.folder / "data" / "audit.json"
        expected, source = read_json(audit).get("golds", {}).get(name, {}).get("graded"), str(audit)
    elif place.parent.name == "benchmarks":
        expected, source = results.configuration["benchmarks"][name]["problems"], f"`benchmarks.{name}.problems`"
    else:
        expected, source = data[name], f"`data.{name}`"
    if expected is not None:
        refuse_count(path, len(read_parquet(path, "prompts")), expected, "problem", source)


def _check_broken_golds(path: Path, results: _Results) -> None:
    data = results.configuration["data"]
    expected = round(data["pool"]["broken"] * data["train"])
    source = "`data.pool.broken` x `data.train`"
    refuse_count(path, len(read_parquet(path, "broken_golds")), expected, "gold answer", source)


def _check_trajectories(path: Path, results: _Results, part: str = "") -> None:
    """``part``: the folder of a part of the probe (``trajectories_folder``); empty for every visit of training."""
    visits = read_parquet(path, "trajectories")
    training = results.configuration.get("training", {})
    if training.get("engine") == "miniature":  # OpenRLHF may lose rollouts: its visits are compared with the audit only
        expected, source = training["steps"] * training["prompts_per_step"], _VISITS
        if part.startswith("probe_checkpoints"):
            expected, source = results.configuration["data"]["train"] * len(checkpoint_steps(training)), _CHECKPOINTS
        refuse_count(path, len(visits), expected, "visit", source)
        samples, known_as = training["samples_per_prompt"], "`training.samples_per_prompt`"
        if limited := _SAMPLES.search(part):
            samples, known_as = int(limited[1]), "`probe.samples`"
        refuse_count(path, visits["n_samples"].sum(), expected * samples, "sample", f"{known_as} x visits")
    audit_file = path.with_suffix(".audit.json")
    audit = read_json(audit_file)
    for name, noun, number in (
        ("prompts", "prompt", visits["prompt_id"].n_unique()),
        ("points", "visit", len(visits)),
        ("rollouts", "rollout", visits["n_samples"].sum()),
    ):
        refuse_count(path, number, audit.get(name, number), noun, str(audit_file))


def _check_measured(path: Path, results: _Results) -> None:
    """The rollouts from the checkpoints of the probe."""
    training = results.configuration["training"]
    visits = results.configuration["data"]["train"] * len(checkpoint_steps(training))
    try:
        found = pl.scan_parquet(path / "*.parquet", hive_partitioning=False).select(pl.len()).collect().item()
    except UNREADABLE as error:
        raise unreadable(path, error, delete(path.parent)) from error
    expected = visits * training["samples_per_prompt"]
    refuse_count(path, found, expected, "rollout", f"{_CHECKPOINTS} x `training.samples_per_prompt`", path.parent)


def _refuse_copy(run: Path, results: _Results) -> None:
    """No two seeds have the same metrics, because these hold the speed of every step. Either may be the copy."""
    metrics = run / "metrics.parquet"
    for seed in results.configuration["seeds"]:
        other = run.with_name(f"seed{seed}") / "metrics.parquet"
        if other != metrics and metrics.exists() and other.exists() and cmp(metrics, other, shallow=False):
            found = f"the same metrics as in {other.parent}"
            raise LimrError(where=run, found=found, expected="another run", advice=delete(run, other.parent))


def _check_scores(path: Path, method: str, results: _Results) -> None:
    scores = read_parquet(path, "scores")
    methods = scores["method"].unique().sort().to_list()
    if methods != [method]:
        raise LimrError(
            where=(path, "column 'method'"), found=", ".join(methods) or "no row", expected=method, advice=delete(path)
        )
    trains = "training" in results.configuration
    source = Path("data", "train.parquet") if trains else Path("trajectories", path.name)
    _check(source, results)
    if (file := results.folder / source).exists():
        prompts = read_parquet(file, "prompts" if trains else "trajectories")["prompt_id"]
        refuse_other_ids(path, scores["prompt_id"], prompts, "prompt", f"in {file}")


def _check_subset(path: Path, scores: Path, results: _Results) -> None:
    subset = read_parquet(path, "subset" if "training" in results.configuration else "log_subset")
    _check(scores, results)
    if (file := results.folder / scores).exists():
        selected = read_parquet(file, "scores").filter("selected")["prompt_id"]
        refuse_other_ids(path, subset["prompt_id"], selected, "prompt", f"selected in {file}")


def _check_evaluation(path: Path, key: tuple[str, int, str], results: _Results) -> None:
    answers = read_parquet(path, "evaluation")
    keys = answers.select("method", "seed", "benchmark").unique().sort(pl.all())
    _refuse_other_keys(path, keys, key)
    benchmark = key[2]
    _refuse_other_problems(path, answers, benchmark, results)
    samples = results.configuration["benchmarks"][benchmark]["samples"]
    for problem, number in answers.group_by("problem_id").len().sort("problem_id").iter_rows():
        where = (path, f"problem {problem}")
        refuse_count(where, number, samples, "sample", f"`benchmarks.{benchmark}.samples`", made_again=path)


def _check_evaluation_steps(path: Path, key: tuple[str, int], results: _Results) -> None:
    rows = read_parquet(path, "evaluation_steps")
    _refuse_other_keys(path, rows.select("method", "seed").unique().sort(pl.all()), key)
    steps = [0, *checkpoint_steps(results.configuration["training"])]
    found = rows["step"].unique().sort().to_list()
    if found != steps:
        raise LimrError(
            where=path,
            found=f"the steps {', '.join(map(str, found))}",
            expected=f"{', '.join(map(str, steps))} (`training.checkpoint_interval`, `training.steps`)",
            advice=delete(path),
        )
    for benchmark in results.configuration["benchmarks"]:
        for step in steps:
            at_step = rows.filter(pl.col("benchmark") == benchmark, pl.col("step") == step)
            _refuse_other_problems(path, at_step, benchmark, results)


def _check_selected(path: Path, key: tuple[str, int], results: _Results) -> None:
    """The results of one checkpoint of the run."""
    rows = read_parquet(path, "evaluation_steps")
    _refuse_other_keys(path, rows.select("method", "seed").unique().sort(pl.all()), key)
    steps, found = checkpoint_steps(results.configuration["training"]), rows["step"].unique().sort().to_list()
    if len(found) != 1 or found[0] not in steps:
        raise LimrError(
            where=path,
            found=f"the steps {', '.join(map(str, found))}",
            expected=f"one of {', '.join(map(str, steps))} (`training.checkpoint_interval`, `training.steps`)",
            advice=delete(path),
        )
    for benchmark in results.configuration["benchmarks"]:
        _refuse_other_problems(path, rows.filter(pl.col("benchmark") == benchmark), benchmark, results)


def _refuse_other_keys(path: Path, found: pl.DataFrame, key: tuple[str | int, ...]) -> None:
    """``found`` holds the different keys of a file that should have only ``key``."""
    if found.rows() != [key]:
        names = "; ".join(_name(row) for row in found.rows()) or "no answer"
        raise LimrError(where=path, found=names, expected=_name(key), advice=delete(path))


def _refuse_other_problems(path: Path, answers: pl.DataFrame, benchmark: str, results: _Results) -> None:
    problems = Path("data", "benchmarks", f"{benchmark}.parquet")
    _check(problems, results)
    if (file := results.folder / problems).exists():
        ids = read_parquet(file, "prompts")["prompt_id"]
        refuse_other_ids(path, answers["problem_id"].unique(), ids, "problem", f"in {file}")


def _name(key: tuple[str | int, ...]) -> str:
    return ", ".join(f"{part} {value}" for part, value in zip(("method", "seed", "benchmark"), key, strict=False))
