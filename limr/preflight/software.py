"""Packages at their versions, and OpenRLHF's arguments through its own parser."""

import contextlib
import importlib.metadata
from collections.abc import Iterable

from limr.errors import LimrError
from limr.preflight.facts import Facts, Problem, version_of

VLLM = "0.29.0"  # which OpenRLHF 0.11.2 is made for
_WAY_OUT = "make the environment (envs/install_openrlhf.sh gpu .venv-openrlhf) and run this in it"


def packages(facts: Facts) -> Iterable[str]:
    """Packages at the versions that the installed OpenRLHF asks for, without importing any."""
    wanted = {"vllm": VLLM} if facts.trains or facts.evaluation["engine"] == "vllm" else {}
    if facts.trains:
        from limr.training.openrlhf import VERSION

        wanted |= {"openrlhf": VERSION, "ray": None, "deepspeed": None, "flash-attn": None, "transformers": None}
        wanted |= _pins("openrlhf", wanted)
    found = {}
    for name, version in wanted.items():
        found[name] = version_of(name)
        if found[name] is None:
            yield Problem(f"{name} is not installed in this Python: {_WAY_OUT}")
        elif version and found[name] and found[name].partition("+")[0] != version:
            yield Problem(f"found {name} {found[name]}, expected {version}: {_WAY_OUT}")
    yield ", ".join(f"{name} {version or '(unknown)'}" for name, version in found.items() if version is not None)


def arguments(facts: Facts) -> Iterable[str]:
    """OpenRLHF's command line through its own parser."""
    if not facts.trains:
        return
    from limr.training.openrlhf.command_line import RunPaths, command_line
    from limr.training.openrlhf.openrlhf_settings import OpenRLHFSettings
    from limr.training.openrlhf.parser import installed, parse

    package = installed()
    if package is None:
        yield Problem("cannot be looked at: openrlhf is not installed in this Python")
        return
    options = OpenRLHFSettings(**facts.training, reward_rule="")
    work = facts.results.absolute() / "work"
    paths = RunPaths(*(work / name for name in ("model", "training", "development", "states", "final", "tensorboard")))
    line = command_line(options, paths, seed=facts.configuration["seeds"][0], attempt="preflight", resume=False)
    try:
        parse(line, package)
    except LimrError as error:
        if not (given := ", ".join(facts.training.get("arguments", {}))):
            raise  # the line is ours alone
        raise LimrError(
            f"{error}. Look at training.arguments ({given}): they take whole names and values as "
            "`python -m openrlhf.cli.train_ppo_ray --help` lists them, and true for a flag"
        ) from error
    yield f"{sum(word.startswith('--') for word in line)} arguments are accepted by OpenRLHF's own parser"


def _pins(package: str, names: Iterable[str]) -> dict[str, str]:
    """Those of ``names`` that the installed ``package`` asks for in one version."""
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
