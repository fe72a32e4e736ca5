"""The GPUs of this machine, as ``nvidia-smi`` lists them: no library is loaded for it, and none of them is touched."""

import os
import shutil
import subprocess
from dataclasses import dataclass

from limr.errors import LimrError

_QUERY = ("index", "uuid", "name", "memory.total", "memory.used", "compute_cap")
_SECONDS = 30


@dataclass(frozen=True)
class Gpu:
    """One GPU; memory in GiB."""

    index: str
    uuid: str
    name: str
    memory: float
    used: float
    compute_capability: str


def visible_gpus() -> list[Gpu]:
    """The GPUs that a process started here may use, in its order: CUDA_VISIBLE_DEVICES says which, and else all.

    None where there is no ``nvidia-smi``. Raises LimrError where it fails, or where CUDA_VISIBLE_DEVICES names what it
    does not list.
    """
    if shutil.which("nvidia-smi") is None:
        return []
    gpus = [_gpu(line) for line in _nvidia_smi().splitlines() if line.strip()]
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    return gpus if chosen is None else [_find(gpus, name.strip()) for name in chosen.split(",") if name.strip()]


def require_gpus(number: int, why: str) -> list[Gpu]:
    """The first ``number`` GPUs. Raises LimrError where there are fewer; ``why`` says what asks for so many."""
    gpus = visible_gpus()
    if len(gpus) < number:
        found = ", ".join(gpu.name for gpu in gpus) or "none"
        limit = os.environ.get("CUDA_VISIBLE_DEVICES")
        visible = "" if limit is None else f" (CUDA_VISIBLE_DEVICES is {limit!r})"
        raise LimrError(
            f"found {len(gpus)} GPUs{visible}: {found}; expected {number}, because {why}. Run this on a machine that "
            "has them, or ask for fewer in the configuration."
        )
    return gpus[:number]


def _nvidia_smi() -> str:
    command = ["nvidia-smi", f"--query-gpu={','.join(_QUERY)}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise LimrError(
            f"nvidia-smi gave no answer within {_SECONDS} seconds: a GPU or its driver hangs. Look at `nvidia-smi` and "
            "the kernel's log (dmesg)."
        ) from error
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines() or [f"exit status {done.returncode}"]
        raise LimrError(f"nvidia-smi failed: {said[-1]}. Without it no GPU can be used: look at the driver.")
    return done.stdout


def _gpu(line: str) -> Gpu:
    fields = [field.strip() for field in line.split(",")]
    try:
        index, uuid, name, memory, used, capability = fields
        return Gpu(index, uuid, name, int(memory) / 1024, int(used) / 1024, capability)
    except ValueError as error:
        raise LimrError(f"nvidia-smi: found the line {line!r}, expected {', '.join(_QUERY)}") from error


def _find(gpus: list[Gpu], name: str) -> Gpu:
    """The GPU that CUDA_VISIBLE_DEVICES means: an index, or the beginning of a UUID."""
    matches = [gpu for gpu in gpus if gpu.index == name or gpu.uuid.startswith(name)]
    if len(matches) != 1:
        listed = ", ".join(f"{gpu.index} ({gpu.uuid})" for gpu in gpus)
        raise LimrError(f"CUDA_VISIBLE_DEVICES: found {name!r}, expected a GPU that nvidia-smi lists: {listed}")
    return matches[0]
