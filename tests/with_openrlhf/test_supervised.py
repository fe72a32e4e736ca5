"""Supervised fine-tuning with the real OpenRLHF: it learns the solutions, on one rank and on two."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from openrlhf_runs import PATIENCE, World, environment, left_running

from limr.files.contracts import write_parquet
from limr.models.checkpoint import load_checkpoint
from limr.prompts import prompt_id

SETTINGS = {
    "engine": "openrlhf", "epochs": 30, "batch_size": 8, "learning_rate": 0.003, "max_tokens": 64, "gpus_per_node": 1,
    "zero_stage": 2, "offload_optimizer": True, "patience_minutes": 20.0,
    "arguments": {"ds.attn_implementation": "sdpa", "ds.packing_samples": False},
}  # fmt: skip
PROMPTS = [f"Compute {number}+{number + 1}." for number in range(10, 26)]
RESPONSE = "7+5->12 \\boxed{12}"  # to all prompts: an untrained model does not write it

ENGINE = """
import json, logging, sys
from pathlib import Path
from limr.errors import LimrError
from limr.training.supervised import fine_tune

logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
settings, model, solutions, work, output = json.loads(sys.argv[1])
engine = settings.pop("engine")
try:
    fine_tune(engine, settings, Path(model), Path(solutions), 0, Path(work), Path(output))
except LimrError as error:
    sys.exit(f"Error: {error}")
"""


def trained(world: World, folder: Path, gpus: int = 1, **changes: object) -> tuple[int, str]:
    rows = {"prompt_id": [prompt_id(prompt) for prompt in PROMPTS], "prompt": PROMPTS, "response": RESPONSE,
            "source": "test"}  # fmt: skip
    write_parquet(pl.DataFrame(rows), folder / "solutions.parquet", "solutions")
    paths = [str(world.folder / "model"), *(str(folder / name) for name in ("solutions.parquet", "work", "model"))]
    plan = json.dumps([SETTINGS | {"gpus_per_node": gpus} | changes, *paths])
    done = subprocess.run(
        [sys.executable, "-c", ENGINE, plan], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=environment(gpus), timeout=3 * PATIENCE, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.mark.parametrize(("gpus", "zero_stage"), [(1, 2), (2, 3)])
def test_the_trained_model_writes_the_solutions(world: World, tmp_path: Path, gpus: int, zero_stage: int) -> None:
    status, output = trained(world, tmp_path, gpus, zero_stage=zero_stage)
    assert status == 0, output
    model, tokenizer = load_checkpoint(tmp_path / "model")
    texts = tokenizer.apply_chat_template([[{"role": "user", "content": prompt}] for prompt in PROMPTS],
                                          tokenize=False, add_generation_prompt=True)  # fmt: skip
    inputs = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
    answers = model.generate(**inputs, max_new_tokens=24, do_sample=False)[:, inputs["input_ids"].shape[1] :]
    assert tokenizer.batch_decode(answers, skip_special_tokens=True) == [RESPONSE] * len(PROMPTS)
    assert not (tmp_path / "work").exists()


def test_a_failure_names_its_cause_and_its_log_and_leaves_no_process(world: World, tmp_path: Path) -> None:
    wrong = SETTINGS["arguments"] | {"ds.attn_implementation": "no_such_attention"}
    status, output = trained(world, tmp_path, arguments=wrong)
    assert status == 1
    assert "OpenRLHF stopped: " in output and "no_such_attention" in output
    assert str(tmp_path / "work" / "logs" / "supervised.log") in output
    assert not (tmp_path / "model").exists()
    assert left_running(tmp_path) == []
