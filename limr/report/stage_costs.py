"""What the stages of a run cost beside time: the response tokens that they generated, and the GPUs that they held."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from limr.jobs.resources import evaluation_resources, training_resources


def response_tokens(
    rollouts: Iterable[Path], evaluations: Iterable[Path], measured: Iterable[Path] = ()
) -> dict[str, int]:
    """Stage -> its response tokens, from folders of rollout shards and from evaluation files.

    ``measured``: the folders of rollouts from the checkpoints of the probe.

    A stage has the name of its benchmark file, such as ``train/lim-seed0``. Prompts are not counted.
    """
    tokens: dict[str, int] = {}
    for folder in map(Path, rollouts):  # .../METHOD/seedS/rollouts
        stage = f"train/{folder.parent.parent.name}-{folder.parent.name}"
        tokens[stage] = sum(_sum(shard) for shard in folder.glob("*.parquet"))
    for folder in map(Path, measured):  # .../probe_checkpoints/seedS/rollouts
        tokens[f"probe_checkpoints/{folder.parent.name}"] = sum(_sum(shard) for shard in folder.glob("*.parquet"))
    for file in map(Path, evaluations):  # .../METHOD/seedS/BENCHMARK.parquet
        stage = f"evaluation/{file.parent.parent.name}-{file.parent.name}"
        tokens[stage] = tokens.get(stage, 0) + _sum(file)
    return tokens


def gpus(configuration: Mapping[str, Any]) -> dict[str, int]:
    """The GPUs that a stage holds on all its nodes, by the first part of its name; stages without GPUs are left out.

    >>> gpus({"training": {"engine": "miniature"}, "evaluation": {"engine": "transformers"}})
    {}
    """
    evaluation = evaluation_resources(configuration["evaluation"])
    requests = {
        "train": training_resources(configuration["training"]),
        "evaluation": evaluation,
        "evaluation_selected": evaluation,
    }
    return {name: int(request["gpu_slot"]) * int(request["nodes"]) for name, request in requests.items() if request}


def _sum(file: Path) -> int:
    column = pl.read_parquet(file, columns=["response_tokens"], hive_partitioning=False, glob=False)
    return int(column["response_tokens"].sum())
