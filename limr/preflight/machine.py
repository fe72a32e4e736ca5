"""GPUs, their memory, the machine's memory and its disks, beside what the run is estimated to need."""

import contextlib
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from limr.errors import LimrError
from limr.preflight import estimates
from limr.preflight.facts import Facts, Problem

OLDEST_GPU = 8.0  # compute capability: bf16 and FlashAttention 2
MOST_IN_USE = 0.05  # of a GPU's memory, by whatever else runs there
SHARED_MEMORY = 4.0  # GiB of /dev/shm, through which NCCL's processes and Ray talk


def gpus(facts: Facts) -> Iterable[str]:
    if not (facts.trains or facts.evaluates):
        yield "none is needed: vLLM is a build for CPUs"
        return
    for gpu in facts.gpus:
        if gpu.used > MOST_IN_USE * gpu.memory:
            yield Problem(
                f"GPU {gpu.index}: {gpu.used:.1f} of {gpu.memory:.1f} GiB are in use by others: end them (nvidia-smi "
                "lists them), or choose others with CUDA_VISIBLE_DEVICES"
            )
        if _number(gpu.compute_capability) < OLDEST_GPU:
            yield Problem(
                f"GPU {gpu.index}: {gpu.name} has compute capability {gpu.compute_capability}, expected {OLDEST_GPU} "
                "or more (A100, H100 ...): bf16 and FlashAttention 2 need it"
            )
    names = ", ".join(sorted({f"{gpu.name} ({gpu.memory:.0f} GiB)" for gpu in facts.gpus}))
    elsewhere = "; other machines were not looked at" if os.environ.get("RAY_ADDRESS") else ""
    yield f"{len(facts.gpus)} x {names}{elsewhere}"


def gpu_memory(facts: Facts) -> Iterable[str]:
    shape = facts.shape
    if shape is None or not (facts.trains or facts.evaluates):
        return
    try:
        memory = min(gpu.memory for gpu in facts.gpus)
    except LimrError:  # which is said already
        return
    if facts.trains:
        training = facts.training
        yield _compare(
            "learning",
            estimates.learning_memory(shape, training),
            memory,
            "set smaller training.train_micro_batch_size and rollout_micro_batch_size, offload_optimizer: true, or use "
            "more GPUs",
        )
        yield _compare(
            "generating",
            estimates.generating_memory(shape, training, memory),
            memory,
            "set a smaller training.gpu_memory_utilization",
        )
        tokens = training["max_prompt_tokens"] + training["max_response_tokens"]
        yield _cache("training", shape, training, memory, tokens)
    if facts.evaluates and (tokens := facts.config.get("max_position_embeddings")):
        yield _cache("evaluation", shape, facts.evaluation, memory, tokens)


def machine_memory(facts: Facts) -> Iterable[str]:
    if facts.trains and facts.shape:
        yield _compare(
            "the machine",
            estimates.host_memory(facts.shape, facts.training),
            _memory(),
            "use a machine with more, or more machines (training.nodes)",
        )


def disks(facts: Facts) -> Iterable[str]:
    folder = _existing(facts.results)
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        found = "may not be written to" if folder.is_dir() else "is not a folder"
        yield Problem(f"results: {facts.results}: cannot be made, because {folder} {found}: name another folder")
        return
    free = shutil.disk_usage(folder).free / 1e9
    if facts.trains and facts.shape:
        runs = len(facts.configuration["methods"]) * len(facts.configuration["seeds"])
        parts = estimates.disk(facts.shape, facts.training, runs)
        there = _size(facts.results) / 1e9
        needed = max(0.0, sum(parts.values()) - there)
        text = f"{facts.results}: some {needed:,.0f} GB more are needed ({_parts(parts, 'GB')}), {free:,.0f} are free"
        if needed > free:
            yield Problem(
                f"{text}: name a larger disk (results), or set a larger training.checkpoint_interval: the weights of "
                "every checkpoint are kept"
            )
        else:
            yield text
    shared = Path("/dev/shm")
    if facts.trains and shared.is_dir():
        room = shutil.disk_usage(shared).total / estimates.GIB
        if room < SHARED_MEMORY:
            yield Problem(
                f"/dev/shm has {room:.1f} GiB, expected {SHARED_MEMORY:.0f} or more: NCCL and Ray talk through it "
                "(docker run --shm-size=16g, or --ipc=host)"
            )


def _compare(what: str, parts: Mapping[str, float], there: float, advice: str) -> str:
    needed = sum(parts.values())
    text = f"{what}: some {needed:.0f} GiB are needed ({_parts(parts, 'GiB')}), {there:.0f} are there"
    return Problem(f"{text}: {advice}") if needed > there else text


def _cache(section: str, shape: estimates.Shape, settings: Mapping[str, Any], memory: float, tokens: int) -> str:
    share, width = settings["gpu_memory_utilization"], settings["tensor_parallel_size"]
    at_once = estimates.responses_at_once(shape, share, memory, width, tokens)
    text = f"{section}: a vLLM engine has room for some {max(0, at_once):.0f} sequences of {tokens:,} tokens at once"
    if at_once < 1:
        return Problem(f"{text}: set a larger {section}.gpu_memory_utilization or tensor_parallel_size")
    return text


def _parts(parts: Mapping[str, float], unit: str) -> str:
    return ", ".join(f"{name} {value:.1f} {unit}" for name, value in parts.items() if value)


def _memory() -> float:
    """GiB of memory that processes here may use: the machine's, or less where a container has less."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    with contextlib.suppress(OSError, ValueError):
        limits.append(int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return min(limits) / estimates.GIB


def _existing(path: Path) -> Path:
    path = path.absolute()
    with contextlib.suppress(PermissionError):  # of a folder above it
        if path.exists():
            return path
    return _existing(path.parent)


def _size(folder: Path) -> int:
    """Bytes of all files below ``folder``, those with several names once."""
    seen = {}
    for path in folder.rglob("*") if folder.is_dir() else ():
        with contextlib.suppress(OSError):
            entry = path.lstat()
            seen[entry.st_dev, entry.st_ino] = entry.st_blocks * 512
    return sum(seen.values())


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
