"""Engine `vllm` up to its processes: requests, seeds, GPUs, failures. A stand-in replaces vLLM.

tests/with_openrlhf tests what the real vLLM answers.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

import polars as pl
import psutil
import pytest
from evaluation_runs import evaluated, problems
from nvidia_smi import H100, pretend_gpus
from places import SUPPORT
from refusals import refused
from tiny_model import END, VOCABULARY

from limr.errors import LimrError
from limr.evaluation import vllm, vllm_processes

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
BENCHMARKS = {
    "greedy": (problems([f"{number}=?" for number in range(7)], ["1"] * 7), {"samples": 1, "temperature": 0.0}),
    "sampled": (
        problems([f"{number}=?" for number in range(100, 107)], ["1"] * 7),
        {"samples": 3, "temperature": 0.4},
    ),
}


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use the stand-in instead of the worker, on CPUs; the folder in which each process leaves a note."""
    folder = tmp_path / "notes"
    folder.mkdir()
    monkeypatch.setattr(vllm_processes, "WORKER", "vllm_stand_in")
    monkeypatch.setattr(vllm, "runs_on_cpus", lambda: True)
    monkeypatch.setenv("PYTHONPATH", str(SUPPORT))
    monkeypatch.setenv("LIMR_STAND_IN_NOTES", str(folder))
    return folder


def run(model: Path, folder: Path, method: str = "lim", seed: int = 0, **settings: Any) -> dict[str, pl.DataFrame]:
    return evaluated(model, folder, BENCHMARKS, SETTINGS | settings, method, seed)


def noted(notes: Path) -> list[dict[str, Any]]:
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(notes.iterdir())]


def test_every_sample_of_every_problem_gets_its_response(tiny_model, notes, tmp_path):
    frames = run(tiny_model, tmp_path)
    assert frames["greedy"].height == 7 and frames["sampled"].height == 21
    assert frames["sampled"].group_by("problem_id").len()["len"].to_list() == [3] * 7
    assert frames["greedy"]["response_tokens"].to_list() == [4] * 7, "the end token is counted"
    assert all("<" not in text for text in frames["sampled"]["response"]), "special tokens are not in the text"


def test_requests_hold_the_tokens_of_the_chat_and_the_sampling_of_the_benchmark(tiny_model, notes, tmp_path):
    run(tiny_model, tmp_path)
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


def test_seeds_follow_from_seed_and_benchmark_alone_and_differ_between_samples(tiny_model, notes, tmp_path):
    (seeds,) = [[row[1]["seed"] for row in (run(tiny_model, tmp_path), noted(notes))[1][0]["requests"]]]
    assert len(set(seeds[7:])) == 21
    for file in notes.iterdir():
        file.unlink()
    run(tiny_model, tmp_path, method="full", batch_size=1)
    assert [row[1]["seed"] for row in noted(notes)[0]["requests"]] == seeds
    for file in notes.iterdir():
        file.unlink()
    run(tiny_model, tmp_path, seed=1)
    assert not set(seeds[7:]) & {row[1]["seed"] for row in noted(notes)[0]["requests"]}


@pytest.mark.parametrize("engines", [3, 50])
def test_several_engines_give_the_same_responses_as_one(tiny_model, notes, tmp_path, engines):
    (tmp_path / "one").mkdir()
    (tmp_path / "several").mkdir()
    one = run(tiny_model, tmp_path / "one")
    several = run(tiny_model, tmp_path / "several", data_parallel_size=engines)
    assert all(one[name].equals(several[name]) for name in BENCHMARKS)
    assert len(noted(notes)) == 1 + min(engines, 28)


def test_each_engine_sees_its_own_gpus(tiny_model, notes, tmp_path, monkeypatch):
    monkeypatch.setattr(vllm, "runs_on_cpus", lambda: False)
    pretend_gpus(tmp_path, monkeypatch, *[H100] * 4)
    run(tiny_model, tmp_path, data_parallel_size=2, tensor_parallel_size=2)
    devices = sorted(note["devices"] for note in noted(notes))
    assert devices == ["GPU-00000000-aaaa,GPU-00000001-aaaa", "GPU-00000002-aaaa,GPU-00000003-aaaa"]
    assert not any(note["engine"].get("enforce_eager") for note in noted(notes))


def test_too_few_gpus_are_an_error_before_anything_starts(tiny_model, notes, tmp_path, monkeypatch):
    monkeypatch.setattr(vllm, "runs_on_cpus", lambda: False)
    pretend_gpus(tmp_path, monkeypatch, H100)
    with pytest.raises(LimrError) as raised:
        run(tiny_model, tmp_path, data_parallel_size=8)
    assert "evaluation.data_parallel_size is 8" in str(raised.value)
    assert not noted(notes)


@pytest.mark.parametrize(
    ("behaviour", "what"),
    [
        ("raise", "ended with status 1 before it had answered all requests; the end of its output: RuntimeError: "),
        ("raise", "CUDA out of memory"),
        ("die", "ended with status -9 before it had answered all requests"),
    ],
)
def test_when_an_engine_dies_the_error_comes_within_a_minute_and_no_process_is_left(
    tiny_model, notes, tmp_path, monkeypatch, behaviour, what
):
    monkeypatch.setenv("LIMR_STAND_IN", behaviour)
    started = time.monotonic()
    with refused(where="vLLM engine 0", what=what):
        run(tiny_model, tmp_path, data_parallel_size=2)
    assert time.monotonic() - started < 60
    assert not any(psutil.pid_exists(note["pid"]) for note in noted(notes))
    assert not (tmp_path / "greedy.parquet").exists()


def test_an_engine_without_a_heartbeat_is_killed(tiny_model, notes, tmp_path, monkeypatch):
    monkeypatch.setenv("LIMR_STAND_IN", "silent")
    monkeypatch.setattr(vllm_processes, "HEARTBEAT_TIMEOUT", 3.0)
    with refused(where="vLLM engine 0", what="sent no heartbeat for"):
        run(tiny_model, tmp_path)
    assert not any(psutil.pid_exists(note["pid"]) for note in noted(notes))


def test_a_response_that_does_not_end_is_truncated(tiny_model, notes, tmp_path):
    frame = run(tiny_model, tmp_path, max_response_tokens=2)["sampled"]
    assert frame["response_tokens"].unique().to_list() == [2]
    assert frame["answer"].is_null().all()


def test_a_model_with_too_few_positions_is_refused(tiny_model, notes, tmp_path):
    positions = json.loads((tiny_model / "config.json").read_text(encoding="utf-8"))["max_position_embeddings"]
    prompt = len("100=?") + 2
    with refused(
        where=tiny_model,
        found=f"{positions:,} positions",
        expected=f"{prompt} for the prompt and {positions:,} for the response",
        advice=f"Set evaluation.max_response_tokens to {positions - prompt:,} or less.",
    ):
        run(tiny_model, tmp_path, max_response_tokens=positions)
    assert not noted(notes)


def test_without_vllm_the_error_says_what_to_install_or_set(tiny_model, tmp_path, monkeypatch):
    def not_installed(name: str) -> str:
        raise vllm.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(vllm.importlib.metadata, "version", not_installed)
    with refused(where="evaluation.engine", what="vLLM is not installed", advice="envs/openrlhf.yaml") as raised:
        run(tiny_model, tmp_path)
    assert "set evaluation.engine to transformers" in raised.value.advice


def test_environment_variables_of_the_user_take_precedence(tiny_model, notes, tmp_path, monkeypatch):
    monkeypatch.setenv("VLLM_BATCH_INVARIANT", "1")
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "3")
    run(tiny_model, tmp_path)
    variables = noted(notes)[0]["variables"]
    assert (variables["VLLM_BATCH_INVARIANT"], variables["VLLM_CPU_KVCACHE_SPACE"]) == ("1", "3")
    assert os.environ.get("VLLM_ENABLE_V1_MULTIPROCESSING") is None, "the environment of the caller does not change"


def test_python_files_in_the_current_folder_are_not_run(tiny_model, notes, tmp_path, monkeypatch):
    folder = tmp_path / "current"
    folder.mkdir()
    for name in ("json.py", "vllm_stand_in.py"):
        (folder / name).write_text("raise SystemExit('a file of the current folder ran')")
    monkeypatch.chdir(folder)
    run(tiny_model, tmp_path)
    assert noted(notes)
