"""Check a configuration before anything runs, and derive values from it for the workflow's rules."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from limr.configuration.contradictions import contradictions, of_own_run
from limr.configuration.explain import explain
from limr.configuration.sections import Experiment, OwnRun
from limr.errors import LimrError, ProblemsError


def check_configuration(configuration: Mapping[str, Any]) -> None:
    """Check all of ``configuration``.

    Raises ProblemsError with an error for each key that is unknown, missing or wrong. If every setting is valid by
    itself, the error lists the settings that contradict each other.
    """
    model = OwnRun if "trajectories" in configuration else Experiment
    try:
        checked = model.model_validate(dict(configuration))
    except ValidationError as error:
        problems = explain(error, model)
    else:
        problems = list(contradictions(checked) if isinstance(checked, Experiment) else of_own_run(checked))
    if problems:
        raise ProblemsError("the configuration cannot be used", problems)


def check_clone(folder: str) -> None:
    """Check the path of the ``folder`` that holds the Snakefile: Snakemake takes braces in it for wildcards.

    Raises LimrError if it has braces.
    """
    if set("{}") & set(folder):
        raise LimrError(
            where=folder,
            found="a clone in a folder with braces in its path",
            expected="a path without { and }",
            advice="Move or rename the folder: Snakemake takes a name in braces for a wildcard.",
        )


def check_results_folder(results: str) -> None:
    """Check that the folder ``results`` exists or can be created, and that files can be created in it.

    Raises LimrError naming the file or folder in the way.
    """
    folder = Path(results).absolute()
    while not os.path.lexists(folder):
        folder = folder.parent
    if not folder.is_dir():
        raise LimrError("this is no folder", where=("results", folder), advice="Name another folder in `results`.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise LimrError(
            "no permission to create files here", where=("results", folder), advice="Name another folder in `results`."
        )


def source_files(configuration: Mapping[str, Any]) -> list[str]:
    """The files of the run at ``trajectories.path``, without those left out by name.

    The workflow reads the run again when one of them changes.

    Raises LimrError when there is no file, when a file cannot be read, and when the results would be among the files.
    """
    from limr.logs.leaving_out import without_named
    from limr.logs.log_files import log_files

    where = "trajectories.path"
    path, results = Path(configuration["trajectories"]["path"]), Path(configuration["results"])
    if path.is_dir() and results.resolve().is_relative_to(path.resolve()):
        raise LimrError(
            f"the results, {results}, would be written into this folder and read as a part of the run",
            where=(where, path),
            advice="Name another folder in `results`.",
        )
    try:
        found, _ = without_named(path, log_files(path), configuration["trajectories"].get("leave_out") or [])
    except LimrError as error:
        error.inside(where)
        raise
    for file in found:
        if not os.access(file, os.R_OK):
            raise LimrError("cannot be read: permission denied", where=(where, file))
    return [str(file) for file in found]


def probe(methods: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Name of the method that trains on every prompt: its training run is the probe."""
    return next((name for name, row in methods.items() if row["score"] == "full" and row["keep"] == "all"), None)


def is_pretrained(base_model: Mapping[str, Any]) -> bool:
    """Whether the section ``base_model`` names a model that exists, on the hub or in a folder."""
    return "repository" in base_model or "path" in base_model


def uses_gpus(configuration: Mapping[str, Any]) -> bool:
    """Whether the configuration has an engine that runs on GPUs."""
    engines = {section: configuration.get(section, {}).get("engine") for section in ("training", "evaluation")}
    return engines["training"] == "openrlhf" or engines["evaluation"] == "vllm"
