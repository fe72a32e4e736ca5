"""The GPUs of this machine, as ``nvidia-smi`` lists them. This loads no library and uses no GPU."""

import os
import shutil
import subprocess
from dataclasses import dataclass

from limr.errors import LimrError, counted, shown

_QUERY = ("index", "uuid", "name", "memory.total", "memory.used", "compute_cap")
_TIMEOUT = 30  # seconds


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
    """The GPUs that a process started here may use, in its order: those of CUDA_VISIBLE_DEVICES if set, else all.

    Without ``nvidia-smi`` the list is empty. Raises LimrError if ``nvidia-smi`` fails, or if CUDA_VISIBLE_DEVICES names
    a GPU that it does not list.
    """
    if shutil.which("nvidia-smi") is None:
        return []
    gpus = [_parse(line) for line in _nvidia_smi().splitlines() if line.strip()]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return gpus if visible is None else [_find(gpus, name.strip()) for name in visible.split(",") if name.strip()]


def require_gpus(number: int, why: str) -> list[Gpu]:
    """The first ``number`` GPUs. Raises LimrError if there are fewer; ``why``: the reason for the number."""
    gpus = visible_gpus()
    if len(gpus) < number:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        limit = "" if visible is None else f", visible with CUDA_VISIBLE_DEVICES={visible}"
        raise LimrError(
            found=f"{counted(len(gpus), 'GPU')} ({', '.join(gpu.name for gpu in gpus) or 'none'}{limit})",
            expected=f"{number}, because {why}",
            advice="Run this on a machine that has them, or lower the number of GPUs in the configuration.",
        )
    return gpus[:number]


def _nvidia_smi() -> str:
    command = ["nvidia-smi", f"--query-gpu={','.join(_QUERY)}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    except subprocess.TimeoutExpired as error:
        raise LimrError(
            f"no answer within {_TIMEOUT} seconds, so a GPU or its driver hangs",
            where="nvidia-smi",
            advice="Run `nvidia-smi` yourself and read the kernel's log (dmesg).",
        ) from error
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines() or [f"exit status {done.returncode}"]
        raise LimrError(
            f"failed: {lines[-1]}", where="nvidia-smi", advice="No GPU can be used before the driver works again."
        )
    return done.stdout


def _parse(line: str) -> Gpu:
    """The GPU that one line of ``nvidia-smi`` describes."""
    fields = [field.strip() for field in line.split(",")]
    try:
        index, uuid, name, memory, used, capability = fields
        return Gpu(index, uuid, name, int(memory) / 1024, int(used) / 1024, capability)
    except ValueError as error:
        raise LimrError(where="nvidia-smi", found=f"the line {shown(line)}", expected=", ".join(_QUERY)) from error


def _find(gpus: list[Gpu], name: str) -> Gpu:
    """The GPU with index ``name``, or with a UUID that starts with ``name``."""
    matches = [gpu for gpu in gpus if gpu.index == name or gpu.uuid.startswith(name)]
    if len(matches) != 1:
        listed = ", ".join(f"{gpu.index} ({gpu.uuid})" for gpu in gpus)
        raise LimrError(
            where="CUDA_VISIBLE_DEVICES", found=shown(name), expected=f"a GPU that nvidia-smi lists: {listed}"
        )
    return matches[0]
