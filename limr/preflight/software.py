"""Checks of the packages' versions, and of OpenRLHF's arguments with its own parser."""

import contextlib
import importlib.metadata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from limr.errors import LimrError
from limr.preflight.facts import Facts, version_of
from limr.preflight.finding import Found

VLLM = "0.29.0"  # the version that OpenRLHF 0.11.2 requires
_ADVICE = "Create the environment (envs/install_openrlhf.sh gpu .venv-openrlhf) and run this check in it."


def packages(facts: Facts) -> Iterable[Found]:
    """Check for the packages at the versions that the installed OpenRLHF requires, without importing them."""
    wanted = {"vllm": VLLM} if facts.trains or facts.evaluation["engine"] == "vllm" else {}
    if facts.trains:
        from limr.training.openrlhf import VERSION

        wanted |= {"openrlhf": VERSION, "ray": None, "deepspeed": None, "flash-attn": None, "transformers": None}
        wanted |= _pins("openrlhf", wanted)
    found = {}
    for name, version in wanted.items():
        found[name] = version_of(name)
        if found[name] is None:
            yield LimrError("not installed in this Python", where=name, advice=_ADVICE)
        elif version and found[name] and found[name].partition("+")[0] != version:
            yield LimrError(where=name, found=found[name], expected=version, advice=_ADVICE)
    yield ", ".join(f"{name} {version or '(unknown)'}" for name, version in found.items() if version is not None)


def arguments(facts: Facts) -> Iterable[Found]:
    """Check OpenRLHF's command line with OpenRLHF's own parser."""
    if not facts.trains:
        return
    from limr.training.openrlhf.command_line import RunPaths, command_line
    from limr.training.openrlhf.openrlhf_settings import OpenRLHFSettings
    from limr.training.openrlhf.parser import installed, parse

    package = installed()
    if package is None:
        yield LimrError("not checked: openrlhf is not installed in this Python", advice=_ADVICE)
        return
    options = OpenRLHFSettings(**facts.training, reward_rule="")
    work = facts.results.absolute() / "work"
    paths = RunPaths(*(work / name for name in ("model", "training", "development", "states", "final", "tensorboard")))
    line = command_line(options, paths, seed=facts.configuration["seeds"][0], attempt="preflight", resume=False)
    try:
        parse(line, package)
    except LimrError as error:
        if options.arguments:  # without them, limr chose every argument
            error.advice = (
                f"Check training.arguments ({', '.join(options.arguments)}). They take whole names and values, as "
                "`python -m openrlhf.cli.train_ppo_ray --help` lists them, and true for a flag."
            )
        raise
    yield f"OpenRLHF's own parser accepts {sum(word.startswith('--') for word in line)} arguments"
    for name, row in facts.configuration.get("supervised", {}).items():
        yield from _supervised(name, row, facts, package)


def _supervised(name: str, row: Mapping[str, Any], facts: Facts, package: Path) -> Iterable[Found]:
    from limr.training.openrlhf.parser import SUPERVISED, parse
    from limr.training.openrlhf.supervised_command import OpenRLHFSupervisedRun, SupervisedPaths, supervised_line

    keys = [key for key in OpenRLHFSupervisedRun.model_fields if key in row]
    settings = {key: row[key] for key in keys} | {
        key: facts.training[key] for key in ("gpus_per_node", "offload_optimizer", "patience_minutes", "zero_stage")
    }
    work = facts.results.absolute() / "work"
    paths = SupervisedPaths(*(work / part for part in ("model", "training", "final", "tensorboard")))
    options = OpenRLHFSupervisedRun(**settings, learning_rate=row["learning_rates"][0])
    line = supervised_line(options, paths, facts.configuration["seeds"][0])
    try:
        parse(line, package, SUPERVISED)
    except LimrError as error:
        yield error.inside(f"supervised.{name}")
        return
    yield f"supervised.{name}: OpenRLHF's own parser accepts {sum(word.startswith('--') for word in line)} arguments"


def _pins(package: str, names: Iterable[str]) -> dict[str, str]:
    """The exact versions that the installed ``package`` requires of ``names``."""
    from packaging.requirements import Requirement

    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        requirements = [Requirement(line) for line in importlib.metadata.requires(package) or ()]
        exact = {
            requirement.name.lower(): specifier.version
            for requirement in requirements
            for specifier in requirement.specifier
            if specifier.operator == "=="
        }
        return {name: exact[name] for name in names if name in exact}
    return {}
