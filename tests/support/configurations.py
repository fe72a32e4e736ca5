"""The shipped configurations, and changed copies of them."""

import copy
from pathlib import Path
from typing import Any

import yaml
from places import ROOT


def shipped(name: str) -> dict[str, Any]:
    """One of the shipped configurations, e.g. ``config/paper.yaml``."""
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


DEFAULT = shipped("config.yaml")
PAPER = shipped("config/paper.yaml")
OWN = shipped("config/own_run.yaml")


def changed(path: str, value: Any, configuration: dict[str, Any] = DEFAULT) -> dict[str, Any]:
    """A copy of ``configuration`` with another value at ``path``, e.g. ``methods.lim.keep``."""
    configuration = copy.deepcopy(configuration)
    *sections, key = path.split(".")
    section = configuration
    for name in sections:
        section = section[name]
    section[key] = value
    return configuration


def own_run(folder: Path | str, **settings: Any) -> dict[str, Any]:
    """``config/own_run.yaml`` with a path and further settings of ``trajectories``."""
    configuration = copy.deepcopy(OWN)
    configuration["trajectories"] |= {"path": str(folder)} | settings
    return configuration
