"""Evaluation with the real vLLM on a CPU gives the responses of transformers and leaves no process behind.

The base model is trained as that of config/pipeline_test.yaml, with a head size that vLLM supports.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
import yaml
from openrlhf_runs import CONFIGURATION, environment
from refusals import refused

from limr.evaluation import generation, vllm
from limr.evaluation.responses import Response, Sampling
from limr.files.contracts import read_parquet
from limr.models.checkpoint import load_checkpoint
from limr.training.miniature.pretrain import pretrain
from limr.training.miniature.problem_files import prepare

SETTINGS = {
    "engine": "vllm",
    "threads": 1,
    "data_parallel_size": 1,
    "tensor_parallel_size": 1,
    "dtype": "float32",
    "gpu_memory_utilization": 0.3,
    "top_p": 0.95,
    "max_response_tokens": 16,
    "batch_size": 1024,  # more prompts at once than vLLM processes at once
}
GREEDY = Sampling(1, 0.0, 0.95, 16, 64, seed=1)
DRAWN = Sampling(4, 1.0, 0.95, 16, 64, seed=2)
PROBLEMS = 200


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model and problems."""
    folder = tmp_path_factory.mktemp("evaluation")
    configuration = yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))
    prepare({"seed": 5, "train": PROBLEMS, "development": 6}, {},
            {"train": folder / "train.parquet", "development": folder / "development.parquet"})  # fmt: skip
    pretrain(configuration["base_model"], [folder / "development.parquet"], folder / "model")
    return folder


@pytest.fixture(autouse=True)
def cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of a process that evaluates on a CPU."""
    for name in ("OMP_NUM_THREADS", "TORCHDYNAMO_DISABLE"):
        monkeypatch.setenv(name, environment()[name])


Answers = dict[str, list[list[Response]]]


def answers(engine: Any, folder: Path, samplings: dict[str, Sampling], **settings: Any) -> Answers:
    prompts: Sequence[str] = read_parquet(folder / "train.parquet", "prompts")["prompt"].to_list()
    prompts_of_each = dict.fromkeys(samplings, prompts)
    return dict(engine.answers(folder / "model", prompts_of_each, samplings, SETTINGS | settings, "test"))


@pytest.fixture(scope="module")
def of_vllm(folder: Path) -> Answers:
    return answers(vllm, folder, {"greedy": GREEDY, "drawn": DRAWN})


def test_greedy_answers_are_those_of_transformers(folder, of_vllm):
    theirs = answers(generation, folder, {"greedy": GREEDY})["greedy"]
    assert len({response.text for (response,) in theirs}) > 3, "one answer to all problems would prove nothing"
    assert of_vllm["greedy"] == theirs


def test_greedy_responses_of_a_random_model_are_the_same_with_few_exceptions(folder, tmp_path):
    """Its responses are long and varied. Where two tokens are almost equally likely, the order of sums decides."""
    trained, _ = load_checkpoint(folder / "model")
    shutil.copytree(folder / "model", tmp_path / "model")
    torch.manual_seed(0)
    config = trained.config
    config.initializer_range = 0.5
    type(trained)(config).save_pretrained(tmp_path / "model")
    shutil.copy(folder / "train.parquet", tmp_path)
    ours, theirs = (answers(engine, tmp_path, {"greedy": GREEDY})["greedy"] for engine in (vllm, generation))
    assert len({response.text for (response,) in theirs}) > PROBLEMS / 2
    assert sum(one != other for one, other in zip(ours, theirs, strict=True)) <= PROBLEMS / 50


def test_samples_do_not_depend_on_the_other_requests_or_the_number_of_engines(folder, of_vllm):
    assert answers(vllm, folder, {"drawn": DRAWN}, data_parallel_size=2)["drawn"] == of_vllm["drawn"]
    assert sum(len(set(row)) > 1 for row in of_vllm["drawn"]) > PROBLEMS / 4, "samples differ from each other"


def test_drawn_answers_are_as_long_and_as_varied_as_those_of_transformers(folder, of_vllm):
    """Both sample from the same distribution with different random numbers: top-p and temperature mean the same."""
    theirs = answers(generation, folder, {"drawn": DRAWN})["drawn"]

    def summary(rows: list[list[Response]]) -> tuple[float, float, float]:
        responses = [response for row in rows for response in row]
        greedy = [response for (response,) in of_vllm["greedy"] for _ in range(DRAWN.samples)]
        return (
            sum(response.tokens for response in responses) / len(responses),
            sum(response.truncated for response in responses) / len(responses),
            sum(ours.text == same.text for ours, same in zip(responses, greedy, strict=True)) / len(responses),
        )

    for ours, other in zip(summary(of_vllm["drawn"]), summary(theirs), strict=True):
        assert ours == pytest.approx(other, abs=0.08, rel=0.1)


def test_the_error_shows_why_vllm_refuses_a_setting(folder):
    with refused(where="vLLM engine 0", what="the end of its output: ") as raised:
        answers(vllm, folder, {"greedy": GREEDY}, dtype="float99")
    assert re.search(r"ended with status .*ValidationError.*\bdtype\b", str(raised.value.what))


def test_an_engine_does_not_outlive_a_caller_that_is_killed(folder):
    program = f"""
import json, logging, sys
from limr.evaluation import vllm
from limr.evaluation.responses import Sampling
logging.basicConfig(level=logging.INFO)
if __name__ == "__main__":
    list(vllm.answers({str(folder / "model")!r}, {{"a": ["1+1"] * 9}}, {{"a": Sampling(1, 0.0, 1.0, 9, 9, 0)}},
                      json.loads(sys.argv[1]), "test"))
"""
    caller = subprocess.Popen([sys.executable, "-c", program, json.dumps(SETTINGS)], env=environment())
    deadline = time.monotonic() + 120
    while not (children := psutil.Process(caller.pid).children(recursive=True)):
        assert caller.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(caller.pid, signal.SIGKILL)
    caller.wait()
    _, left = psutil.wait_procs(children, timeout=60)
    assert not left
