"""Inputs of a tiny training run: problems, a briefly pre-trained base model, and settings that run in seconds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from places import ROOT

from limr.files.contracts import read_parquet, write_parquet
from limr.training import train
from limr.training.miniature.pretrain import pretrain
from limr.training.miniature.problem_files import prepare

OUTPUTS = ("model", "rollouts", "metrics", "checkpoints", "tensorboard")


@dataclass(frozen=True)
class World:
    """Inputs of a training run, and ``settings``, its ``training`` section."""

    model: Path
    subset: Path
    development: Path
    settings: dict[str, Any]
    base_model: dict[str, Any]

    def train(self, directory: Path, seed: int = 0, work: Path | None = None, **changes: Any) -> dict[str, Path]:
        """Train to the end. Returns the outputs' paths, in ``directory``."""
        outputs = output_paths(directory)
        work = work or directory / "work"
        train(self.settings | changes, self.model, self.subset, self.development, seed, work, outputs)
        return outputs


def output_paths(directory: Path) -> dict[str, Path]:
    """The path of each output of a training run."""
    return {name: directory / name for name in OUTPUTS}


def new_world(directory: Path) -> World:
    """Make the problems and pre-train the base model, in ``directory``."""
    config = yaml.safe_load((ROOT / "config" / "pipeline_test.yaml").read_text(encoding="utf-8"))
    development, subset, model = directory / "development.parquet", directory / "subset.parquet", directory / "model"
    train_prompts = directory / "train.parquet"
    prepare({"seed": 5, "train": 40, "development": 12}, {}, {"train": train_prompts, "development": development})
    prompts = read_parquet(train_prompts, "prompts")
    write_parquet(prompts.with_columns(score=pl.lit(None, pl.Float64)), subset, "subset")
    base_model = config["base_model"] | {"steps": 40, "batch_size": 16, "threads": 1}
    pretrain(base_model, [development], model)
    settings = config["training"] | {
        "reward_rule": config["reward"]["rule"],
        "threads": 1,
        "steps": 9,
        "prompts_per_step": 12,
        "samples_per_prompt": 4,
        "max_response_tokens": 8,
        "mini_batch_size": 16,
        "evaluation_interval": 3,
        "checkpoint_interval": 2,
    }
    return World(model, subset, development, settings, base_model)
