"""Training runs of the OpenRLHF engine on a CPU, each in a separate process that tests can kill."""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from places import ROOT, SUPPORT

from limr.files.contracts import read_parquet, write_parquet
from limr.training.miniature.pretrain import pretrain
from limr.training.miniature.problem_files import prepare

HERE = SUPPORT
OUTPUTS = ("model", "rollouts", "metrics", "checkpoints", "tensorboard")
PATIENCE = 400  # seconds until a process that should have ended counts as hanging
CONFIGURATION = ROOT / "config" / "openrlhf_test.yaml"

ENGINE = """
import json, logging, sys
from pathlib import Path
from limr.errors import LimrError
from limr.training import train

logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
plan = json.loads(sys.argv[1])
paths = {name: Path(path) for name, path in plan["paths"].items()}
outputs = {name: Path(path) for name, path in plan["outputs"].items()}
try:
    train(plan["settings"], paths["model"], paths["subset"], paths["development"], 0, paths["work"], outputs)
except LimrError as error:
    sys.exit(f"Error: {error}")
"""


def environment(gpus: int = 1, **more: str) -> dict[str, str]:
    """The environment of a process that trains without CUDA, with ``gpus`` pretended GPUs."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(HERE / "stand_in_for_cuda"), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "PATH": f"{HERE / 'stand_in_for_cuda' / 'bin'}:{os.environ['PATH']}",
        "RAY_OVERRIDE_RESOURCES": json.dumps({"CPU": 16, "GPU": gpus}),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_memory_monitor_refresh_ms": "0",
        "DS_ACCELERATOR": "cpu",
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "VLLM_NO_USAGE_STATS": "1",
        "OMP_NUM_THREADS": "1",
        "POLARS_MAX_THREADS": "2",
        "TORCHDYNAMO_DISABLE": "1",
        "TORCH_EXTENSIONS_DIR": os.environ.get(
            "TORCH_EXTENSIONS_DIR", str(Path.home() / ".cache" / "torch_extensions")
        ),
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        **more,
    }


@dataclass(frozen=True)
class Run:
    """The paths of a run, below ``folder``."""

    folder: Path

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def outputs(self) -> dict[str, Path]:
        return {name: self.folder / name for name in OUTPUTS}

    @property
    def rollouts(self) -> pl.DataFrame:
        return pl.concat(read_parquet(path, "rollouts") for path in sorted(self.outputs["rollouts"].glob("*.parquet")))

    def log(self, attempt: int = 0) -> str:
        file = self.work / "logs" / f"attempt_{attempt:04d}.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def wait_for(self, pattern: str, process: subprocess.Popen, attempt: int = 0) -> re.Match[str]:
        """Wait until the attempt's log holds ``pattern``."""
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.log(attempt))):
            assert process.poll() is None and time.monotonic() < deadline, self.log(attempt)[-3000:]
            time.sleep(0.1)
        return found


@dataclass(frozen=True)
class World:
    """Inputs of a run, and ``settings``, its ``training`` section and the rule of the reward."""

    folder: Path
    settings: dict[str, Any]

    def start(
        self, run: Run, gpus: int = 1, variables: dict[str, str] | None = None, **changes: Any
    ) -> subprocess.Popen:
        """Start a process that trains. It writes its log and its error to standard output."""
        plan = {
            "settings": self.settings | changes,
            "paths": {
                "model": str(self.folder / "model"),
                "subset": str(self.folder / "subset.parquet"),
                "development": str(self.folder / "development.parquet"),
                "work": str(run.work),
            },
            "outputs": {name: str(path) for name, path in run.outputs.items()},
        }
        return subprocess.Popen(
            [sys.executable, "-c", ENGINE, json.dumps(plan)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(gpus, **(variables or {})),
        )


def new_world(folder: Path) -> World:
    """Make problems, and a briefly pre-trained base model."""
    configuration = yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))
    prepare({"seed": 5, "train": 20, "development": 6}, {},
            {"train": folder / "train.parquet", "development": folder / "development.parquet"})  # fmt: skip
    prompts = read_parquet(folder / "train.parquet", "prompts")
    write_parquet(prompts.with_columns(score=pl.lit(None, pl.Float64)), folder / "subset.parquet", "subset")
    pretrain(configuration["base_model"] | {"steps": 100}, [folder / "development.parquet"], folder / "model")
    return World(folder, configuration["training"] | {"reward_rule": configuration["reward"]["rule"]})


def trained_on(tap: Path) -> list[dict[str, Any]]:
    """The samples that OpenRLHF's training steps received, from the file that ``stand_in_for_cuda`` wrote."""
    rows = [json.loads(line) for line in tap.read_text(encoding="ascii").splitlines()]
    return [row | {"label": json.loads(row["label"])} for row in rows]


def left_running(folder: Path) -> list[str]:
    """Command lines of the processes with ``folder`` in their environment, which a run in it has started."""
    wanted, found = str(folder).encode(), []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (process / "environ").read_bytes() and int(process.name) != os.getpid():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found
