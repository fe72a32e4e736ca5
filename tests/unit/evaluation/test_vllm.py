"""Engine `vllm` up to its processes: requests, seeds, GPUs, failures. A stand-in replaces vLLM.

tests/with_openrlhf tests the answers of the real vLLM.
"""

import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from evaluation_runs import evaluated, problems
from nvidia_smi import H100, pretend_gpus
from refusals import refused
from tiny_model import END, VOCABULARY
from vllm_stand_in import read_notes

from limr.evaluation import vllm

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


def run(model: Path, folder: Path, method: str = "lim", seed: int = 0, **settings: Any) -> dict[str, pl.DataFrame]:
    return evaluated(model, folder, BENCHMARKS, SETTINGS | settings, method, seed)


def test_every_sample_of_every_problem_gets_its_response(tiny_model, notes, tmp_path):
    frames = run(tiny_model, tmp_path)
    assert frames["greedy"].height == 7 and frames["sampled"].height == 21
    assert frames["sampled"].group_by("problem_id").len()["len"].to_list() == [3] * 7
    assert frames["greedy"]["response_tokens"].to_list() == [4] * 7, "the end token is counted"
    assert all("<" not in text for text in frames["sampled"]["response"]), "special tokens are not in the text"


def test_requests_have_the_tokens_of_the_chat_and_the_sampling_of_the_benchmark(tiny_model, notes, tmp_path):
    run(tiny_model, tmp_path)
    (note,) = read_notes(notes)
    tokens, sampling = note["requests"][0]
    assert "".join(VOCABULARY[token] for token in tokens) == "<user>0=?<assistant>"
    assert sampling == {"temperature": 0.0, "top_p": 1.0, "top_k": 0, "max_tokens": 6, "seed": None,
                        "stop_token_ids": [END], "detokenize": False}  # fmt: skip
    _, sampling = note["requests"][-1]
    assert (sampling["temperature"], sampling["top_p"]) == (0.4, 0.95)
    engine = note["engine"]
    assert (engine["dtype"], engine["max_num_seqs"], engine["skip_tokenizer_init"]) == ("float32", 8, True)
    assert engine["max_model_len"] == len("100=?") + 2 + 6, "as small as possible"
    assert note["variables"]["VLLM_ENABLE_V1_MULTIPROCESSING"] == "0"


def test_seeds_depend_on_seed_and_benchmark_alone_and_differ_between_samples(tiny_model, notes, tmp_path):
    def seeds(**changes: Any) -> list[int | None]:
        """The seed of each request of an evaluation: 7 greedy ones, and 21 samples."""
        run(tiny_model, tmp_path, **changes)
        (note,) = read_notes(notes)
        for file in notes.iterdir():
            file.unlink()
        return [sampling["seed"] for _, sampling in note["requests"]]

    first = seeds()
    assert len(set(first[7:])) == 21
    assert seeds(method="full", batch_size=1) == first
    assert not set(first[7:]) & set(seeds(seed=1))


@pytest.mark.parametrize("engines", [3, 50])
def test_several_engines_give_the_same_responses_as_one(tiny_model, notes, tmp_path, engines):
    (tmp_path / "one").mkdir()
    (tmp_path / "several").mkdir()
    one = run(tiny_model, tmp_path / "one")
    several = run(tiny_model, tmp_path / "several", data_parallel_size=engines)
    assert all(one[name].equals(several[name]) for name in BENCHMARKS)
    assert len(read_notes(notes)) == 1 + min(engines, 28)


def test_each_engine_sees_its_own_gpus(tiny_model, notes, tmp_path, monkeypatch):
    monkeypatch.setattr(vllm, "runs_on_cpus", lambda: False)
    pretend_gpus(tmp_path, monkeypatch, *[H100] * 4)
    run(tiny_model, tmp_path, data_parallel_size=2, tensor_parallel_size=2)
    devices = sorted(note["devices"] for note in read_notes(notes))
    assert devices == ["GPU-00000000-aaaa,GPU-00000001-aaaa", "GPU-00000002-aaaa,GPU-00000003-aaaa"]
    assert not any(note["engine"].get("enforce_eager") for note in read_notes(notes))


def test_too_few_gpus_are_an_error_before_anything_starts(tiny_model, notes, tmp_path, monkeypatch):
    monkeypatch.setattr(vllm, "runs_on_cpus", lambda: False)
    pretend_gpus(tmp_path, monkeypatch, H100)
    with refused(found="1 GPU", expected="8, because evaluation.data_parallel_size is 8"):
        run(tiny_model, tmp_path, data_parallel_size=8)
    assert not read_notes(notes)


def test_when_an_engine_dies_nothing_is_written(tiny_model, notes, tmp_path, monkeypatch):
    monkeypatch.setenv("LIMR_STAND_IN", "raise")
    with refused(where="vLLM engine 0", what="CUDA out of memory"):
        run(tiny_model, tmp_path, data_parallel_size=2)
    assert not (tmp_path / "greedy.parquet").exists()


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
    assert not read_notes(notes)


def test_without_vllm_the_error_names_the_environment_and_the_setting(tiny_model, tmp_path, monkeypatch):
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
    variables = read_notes(notes)[0]["variables"]
    assert (variables["VLLM_BATCH_INVARIANT"], variables["VLLM_CPU_KVCACHE_SPACE"]) == ("1", "3")
    assert os.environ.get("VLLM_ENABLE_V1_MULTIPROCESSING") is None, "the environment of the caller does not change"
