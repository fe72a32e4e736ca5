"""Evaluation engine ``vllm`` around its processes: requests, seeds, GPUs, failures. vLLM itself is stood in for.

What vLLM answers is tested where it is installed: tests/with_openrlhf.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import psutil
import pytest
from nvidia_smi import H100, pretend_gpus
from places import SUPPORT
from tiny_model import END, VOCABULARY, save_model

from limr.errors import LimrError
from limr.evaluation import evaluate, vllm
from limr.files.contracts import read_parquet, write_parquet
from limr.prompts import prompt_id

SETTINGS = {
    "engine": "vllm",
    "threads": 1,
    "data_parallel_size": 1,
    "tensor_parallel_size": 1,
    "dtype": "float32",
    "gpu_memory_utilization": 0.3,
    "top_p": 0.95,
    "max_response_tokens": 6,
    "batch_size": 8,
    "reward_rule": "paper",
}
BENCHMARKS = {"greedy": {"samples": 1, "temperature": 0.0}, "sampled": {"samples": 3, "temperature": 0.4}}


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / "model"
    save_model(path)
    return path


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in in the place of the worker, on CPUs, and the folder in which each leaves a note."""
    folder = tmp_path / "notes"
    folder.mkdir()
    monkeypatch.setattr(vllm, "WORKER", "vllm_stand_in")
    monkeypatch.setattr(vllm, "runs_on_cpus", lambda: True)
    monkeypatch.setenv("PYTHONPATH", str(SUPPORT))
    monkeypatch.setenv("LIMR_STAND_IN_NOTES", str(folder))
    return folder


def run(model: Path, folder: Path, method: str = "lim", seed: int = 0, **settings: Any) -> dict[str, pl.DataFrame]:
    inputs = {}
    for offset, name in enumerate(BENCHMARKS):
        prompts = [f"{number}=?" for number in range(100 * offset, 100 * offset + 7)]
        inputs[name] = folder / f"{name}.prompts.parquet"
        write_parquet(
            pl.DataFrame(
                {
                    "prompt_id": [prompt_id(prompt) for prompt in prompts],
                    "prompt": prompts,
                    "answer": ["1"] * 7,
                    "level": [1] * 7,
                    "subject": ["sums"] * 7,
                    "source": ["test"] * 7,
                    "gradable": [True] * 7,
                }
            ),
            inputs[name],
            "prompts",
        )
    outputs = {name: folder / f"{name}.parquet" for name in BENCHMARKS}
    evaluate(model, inputs, BENCHMARKS, SETTINGS | settings, method, seed, outputs)
    return {name: read_parquet(path, "evaluation") for name, path in outputs.items()}


def noted(notes: Path) -> list[dict[str, Any]]:
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(notes.iterdir())]


def test_every_sample_of_every_problem_comes_back_to_its_place(model, notes, tmp_path):
    frames = run(model, tmp_path)
    assert frames["greedy"].height == 7 and frames["sampled"].height == 21
    assert frames["sampled"].group_by("problem_id").len()["len"].to_list() == [3] * 7
    assert frames["greedy"]["response_tokens"].to_list() == [4] * 7, "the end token is counted"
    assert all("<" not in text for text in frames["sampled"]["response"]), "special tokens are no text"


def test_requests_hold_the_chat_as_tokens_and_the_benchmark_s_sampling(model, notes, tmp_path):
    run(model, tmp_path)
    (note,) = noted(notes)
    tokens, sampling = note["requests"][0]
    assert "".join(VOCABULARY[token] for token in tokens) == "<user>0=?<assistant>"
    assert sampling == {"temperature": 0.0, "top_p": 1.0, "top_k": 0, "max_tokens": 6, "seed": None,
                        "stop_token_ids": [END], "detokenize": False}  # fmt: skip
    _, sampling = note["requests"][-1]
    assert (sampling["temperature"], sampling["top_p"]) == (0.4, 0.95)
    engine = note["engine"]
    assert (engine["dtype"], engine["max_num_seqs"], engine["skip_tokenizer_init"]) == ("float32", 8, True)
    assert engine["max_model_len"] == len("100=?") + 2 + 6, "no more than is needed"
    assert note["variables"]["VLLM_ENABLE_V1_MULTIPROCESSING"] == "0"


def test_seeds_follow_from_seed_and_benchmark_alone_and_differ_between_samples(model, notes, tmp_path):
    (seeds,) = [[row[1]["seed"] for row in (run(model, tmp_path), noted(notes))[1][0]["requests"]]]
    assert len(set(seeds[7:])) == 21
    for file in notes.iterdir():
        file.unlink()
    run(model, tmp_path, method="full", batch_size=1)
    assert [row[1]["seed"] for row in noted(notes)[0]["requests"]] == seeds
    for file in notes.iterdir():
        file.unlink()
    run(model, tmp_path, seed=1)
    assert not set(seeds[7:]) & {row[1]["seed"] for row in noted(notes)[0]["requests"]}


@pytest.mark.parametrize("engines", [3, 50])
def test_engines_side_by_side_give_what_one_gives(model, notes, tmp_path, engines):
    (tmp_path / "one").mkdir()
    (tmp_path / "several").mkdir()
    one = run(model, tmp_path / "one")
    several = run(model, tmp_path / "several", data_parallel_size=engines)
    assert all(one[name].equals(several[name]) for name in BENCHMARKS)
    assert len(noted(notes)) == 1 + min(engines, 28)


def test_each_engine_sees_its_own_gpus(model, notes, tmp_path, monkeypatch):
    monkeypatch.setattr(vllm, "runs_on_cpus", lambda: False)
    pretend_gpus(tmp_path, monkeypatch, *[H100] * 4)
    run(model, tmp_path, data_parallel_size=2, tensor_parallel_size=2)
    devices = sorted(note["devices"] for note in noted(notes))
    assert devices == ["GPU-00000000-aaaa,GPU-00000001-aaaa", "GPU-00000002-aaaa,GPU-00000003-aaaa"]
    assert not any(note["engine"].get("enforce_eager") for note in noted(notes))


def test_too_few_gpus_are_an_error_before_anything_starts(model, notes, tmp_path, monkeypatch):
    monkeypatch.setattr(vllm, "runs_on_cpus", lambda: False)
    pretend_gpus(tmp_path, monkeypatch, H100)
    with pytest.raises(LimrError, match=r"found 1 GPUs: .*; expected 8, because evaluation\.data_parallel_size is 8"):
        run(model, tmp_path, data_parallel_size=8)
    assert not noted(notes)


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        ("raise", r"vLLM engine 0 ended with status 1 before all was answered; it said: .*CUDA out of memory"),
        ("die", r"vLLM engine 0 ended with status -9 before all was answered"),
    ],
)
def test_an_engine_that_dies_is_an_error_within_a_minute_and_none_is_left(
    model, notes, tmp_path, monkeypatch, behaviour, expected
):
    monkeypatch.setenv("LIMR_STAND_IN", behaviour)
    started = time.monotonic()
    with pytest.raises(LimrError, match=expected):
        run(model, tmp_path, data_parallel_size=2)
    assert time.monotonic() - started < 60
    assert not any(psutil.pid_exists(note["pid"]) for note in noted(notes))
    assert not (tmp_path / "greedy.parquet").exists()


def test_an_engine_that_falls_silent_is_ended(model, notes, tmp_path, monkeypatch):
    monkeypatch.setenv("LIMR_STAND_IN", "silent")
    monkeypatch.setattr(vllm, "PATIENCE", 3.0)
    with pytest.raises(LimrError, match=r"gave no sign of life for .* and was ended"):
        run(model, tmp_path)
    assert not any(psutil.pid_exists(note["pid"]) for note in noted(notes))


def test_a_response_that_does_not_end_is_truncated(model, notes, tmp_path):
    frame = run(model, tmp_path, max_response_tokens=2)["sampled"]
    assert frame["response_tokens"].unique().to_list() == [2]
    assert frame["answer"].is_null().all()


def test_a_model_without_room_for_prompt_and_response_is_refused(model, notes, tmp_path):
    positions = json.loads((model / "config.json").read_text(encoding="utf-8"))["max_position_embeddings"]
    with pytest.raises(LimrError, match=rf"has {positions:,} positions, and the longest prompt with evaluation"):
        run(model, tmp_path, max_response_tokens=positions)
    assert not noted(notes)


def test_without_vllm_the_error_says_what_to_install_or_set(model, tmp_path, monkeypatch):
    monkeypatch.setattr(vllm.importlib.metadata, "version", _nothing)
    with pytest.raises(LimrError, match=r"envs/openrlhf\.yaml .* or set evaluation\.engine to transformers"):
        run(model, tmp_path)


def _nothing(name: str) -> str:
    raise vllm.importlib.metadata.PackageNotFoundError(name)


def test_the_worker_ends_with_who_started_it():
    """The real one: its standard input is what it watches, and no vLLM is needed for that."""
    program = (
        "import threading, time; from limr.evaluation import vllm_worker; "
        "threading.Thread(target=vllm_worker._end_with_the_caller, daemon=True).start(); print(1, flush=True); "
        "time.sleep(60)"
    )
    worker = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    worker.stdout.read(1)
    worker.stdin.close()
    assert worker.wait(timeout=20) == 75
    worker.stdout.close()


def test_a_person_s_own_settings_of_vllm_stand(model, notes, tmp_path, monkeypatch):
    monkeypatch.setenv("VLLM_BATCH_INVARIANT", "1")
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "3")
    run(model, tmp_path)
    variables = noted(notes)[0]["variables"]
    assert (variables["VLLM_BATCH_INVARIANT"], variables["VLLM_CPU_KVCACHE_SPACE"]) == ("1", "3")
    assert os.environ.get("VLLM_ENABLE_V1_MULTIPROCESSING") is None, "the caller's environment is its own"
