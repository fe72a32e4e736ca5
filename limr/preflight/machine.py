"""Checks of the GPUs, the memory and the disks of this machine, against estimates of what the run needs."""

import contextlib
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from limr.errors import LimrError
from limr.preflight import estimates
from limr.preflight.facts import Facts
from limr.preflight.finding import Found

OLDEST_GPU = 8.0  # compute capability that bf16 and FlashAttention 2 need
MOST_IN_USE = 0.05  # of a GPU's memory, by other processes
SHARED_MEMORY = 4.0  # GiB of /dev/shm, through which NCCL's processes and Ray exchange data


def gpus(facts: Facts) -> Iterable[Found]:
    """Check the number of GPUs, their compute capability, and the memory that other processes use."""
    if not (facts.trains or facts.evaluates):
        yield "not needed: this vLLM is built for CPUs"
        return
    for gpu in facts.gpus:
        where = f"GPU {gpu.index}"
        if gpu.used > MOST_IN_USE * gpu.memory:
            yield LimrError(
                f"other processes use {gpu.used:.1f} of {gpu.memory:.1f} GiB",
                where=where,
                advice="End them (nvidia-smi lists them), or choose other GPUs with CUDA_VISIBLE_DEVICES.",
            )
        if _number(gpu.compute_capability) < OLDEST_GPU:
            yield LimrError(
                where=where,
                found=f"{gpu.name} with compute capability {gpu.compute_capability}",
                expected=f"{OLDEST_GPU} or more (A100, H100 ...), which bf16 and FlashAttention 2 need",
                advice="Run this on newer GPUs.",
            )
    names = ", ".join(sorted({f"{gpu.name} ({gpu.memory:.0f} GiB)" for gpu in facts.gpus}))
    elsewhere = "; other machines are not checked" if os.environ.get("RAY_ADDRESS") else ""
    yield f"{len(facts.gpus)} x {names}{elsewhere}"


def gpu_memory(facts: Facts) -> Iterable[Found]:
    """Check the memory of a GPU while the model learns and while it generates."""
    shape = facts.shape
    if shape is None or not (facts.trains or facts.evaluates):
        return
    try:
        memory = min(gpu.memory for gpu in facts.gpus)
    except LimrError:  # the check of the GPUs reports it
        return
    if facts.trains:
        training = facts.training
        yield _compare(
            "learning",
            estimates.learning_memory(shape, training),
            memory,
            "Set smaller training.train_micro_batch_size and rollout_micro_batch_size, set offload_optimizer: true, or "
            "use more GPUs.",
        )
        yield _compare(
            "generating",
            estimates.generating_memory(shape, training, memory),
            memory,
            "Set a smaller training.gpu_memory_utilization.",
        )
        tokens = training["max_prompt_tokens"] + training["max_response_tokens"]
        yield _cache("training", shape, training, memory, tokens)
    if facts.evaluates and (tokens := facts.config.get("max_position_embeddings")):
        yield _cache("evaluation", shape, facts.evaluation, memory, tokens)


def machine_memory(facts: Facts) -> Iterable[Found]:
    """Check the memory of the machine."""
    if facts.trains and facts.shape:
        yield _compare(
            "the machine",
            estimates.host_memory(facts.shape, facts.training),
            _memory(),
            "Use a machine with more memory, or more machines (training.nodes).",
        )


def disks(facts: Facts) -> Iterable[Found]:
    """Check the disk space for the results, the permission to write them, and /dev/shm."""
    folder = _existing(facts.results)
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        reason = "is not writable" if folder.is_dir() else "is not a folder"
        yield LimrError(
            f"cannot be created, because {folder} {reason}",
            where=("results", facts.results),
            advice="Name another folder.",
        )
        return
    if facts.trains and facts.shape:
        yield _disk_space(facts, shutil.disk_usage(folder).free / 1e9)
    shared = Path("/dev/shm")
    if facts.trains and shared.is_dir():
        size = shutil.disk_usage(shared).total / estimates.GIB
        if size < SHARED_MEMORY:
            yield LimrError(
                where=shared,
                found=f"{size:.1f} GiB",
                expected=f"{SHARED_MEMORY:.0f} or more, because NCCL and Ray exchange data through it",
                advice="With Docker, run `docker run --shm-size=16g` or `--ipc=host`.",
            )


def _disk_space(facts: Facts, free: float) -> Found:
    runs = len(facts.configuration["methods"]) * len(facts.configuration["seeds"])
    parts = estimates.disk(facts.shape, facts.training, runs)
    rates = sum(len(row["learning_rates"]) for row in facts.configuration.get("supervised", {}).values())
    tuned = rates * len(facts.configuration["seeds"])
    parts["models of supervised fine-tuning"] = tuned * 2 * facts.shape.parameters / 1e9  # left out of the text if 0
    written = _size(facts.results) / 1e9
    needed = max(0.0, sum(parts.values()) - written)
    more = f"about {needed:,.0f} GB more ({_parts(parts, 'GB')})"
    if needed <= free:
        return f"{facts.results}: {more} needed, {free:,.0f} GB free"
    return LimrError(
        where=facts.results,
        found=f"{free:,.0f} GB free",
        expected=more,
        advice="Name a larger disk (results), or set a larger training.checkpoint_interval: the weights of every "
        "checkpoint are kept.",
    )


def _compare(what: str, parts: Mapping[str, float], available: float, advice: str) -> Found:
    needed = sum(parts.values())
    about = f"about {needed:.0f} GiB ({_parts(parts, 'GiB')})"
    if needed <= available:
        return f"{what}: {about} needed, {available:.0f} GiB available"
    return LimrError(where=what, found=f"{available:.0f} GiB", expected=about, advice=advice)


def _cache(section: str, shape: estimates.Shape, settings: Mapping[str, Any], memory: float, tokens: int) -> Found:
    """How many sequences of ``tokens`` tokens the key-value cache of a vLLM engine holds at once."""
    share, width = settings["gpu_memory_utilization"], settings["tensor_parallel_size"]
    at_once = estimates.responses_at_once(shape, share, memory, width, tokens)
    if at_once >= 1:
        return f"{section}: a vLLM engine holds about {at_once:.0f} sequences of {tokens:,} tokens at once"
    return LimrError(
        f"a vLLM engine cannot hold one sequence of {tokens:,} tokens",
        where=section,
        advice=f"Set a larger {section}.gpu_memory_utilization or tensor_parallel_size.",
    )


def _parts(parts: Mapping[str, float], unit: str) -> str:
    return ", ".join(f"{name} {value:.1f} {unit}" for name, value in parts.items() if value)


def _memory() -> float:
    """GiB of memory that processes may use here: the machine's, or less in a container with a limit."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    with contextlib.suppress(OSError, ValueError):
        limits.append(int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return min(limits) / estimates.GIB


def _existing(path: Path) -> Path:
    """``path``, or the first folder above it that exists."""
    path = path.absolute()
    with contextlib.suppress(PermissionError):  # of a folder above it
        if path.exists():
            return path
    return _existing(path.parent)


def _size(folder: Path) -> int:
    """Bytes of all files in ``folder``. A file with several names counts once."""
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
