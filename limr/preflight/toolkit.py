"""Checks of CUDA: the driver, and the compilers with which DeepSpeed compiles its operators when they are first used.

Without them a run fails minutes after its start: when torch first uses a GPU, or when DeepSpeed 0.19.6 compiles its
optimiser (``op_builder/builder.py``). DeepSpeed needs ninja, a C++ compiler, and nvcc of the release of CUDA that
torch is built for.
"""

import ctypes
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from limr.errors import LimrError
from limr.preflight.facts import Facts
from limr.preflight.finding import Found

_TOOLKIT = Path("/usr/local/cuda")  # where torch looks last
_SECONDS = 30


def cuda(facts: Facts) -> Iterable[Found]:
    """Check the driver and the compilers against the CUDA that the installed torch is built for."""
    import torch

    built, release = torch.version.cuda, torch.__version__
    if not (facts.trains or facts.evaluates) or (built is None and facts.vllm_is_for_cpus):
        return
    if built is None:
        yield LimrError(
            f"torch {release} is built without CUDA",
            advice="Make the environment again, from a package index with builds for CUDA.",
        )
        return
    driver = driver_cuda()
    if driver and driver < int(built.split(".")[0]):
        yield LimrError(
            where="driver",
            found=f"CUDA {driver}",
            expected=f"CUDA {built}, which torch {release} is built for",
            advice="Install a newer driver (580 or later for CUDA 13; nvidia-smi shows the version), or use a "
            "container (envs/).",
        )
    if not facts.trains:
        return
    toolkit = nvcc_cuda()
    if toolkit is None or (toolkit != built and os.environ.get("DS_SKIP_CUDA_CHECK") != "1"):
        yield LimrError(
            where="nvcc",
            found=f"CUDA {toolkit}" if toolkit else "no nvcc",
            expected=f"CUDA {built}, which torch {release} is built for",
            advice="DeepSpeed compiles its optimisers with nvcc. Set CUDA_HOME to CUDA's folder (on clusters often: "
            "module load cuda), or use the environment of envs/openrlhf.yaml or a container (envs/).",
        )
    compiler = (shlex.split(os.environ.get("CXX", "")) or ["c++"])[0]  # the name that torch uses
    missing = [name for name in ("ninja", compiler) if shutil.which(name) is None]
    if missing:
        yield LimrError(
            f"{' and '.join(missing)} not on PATH",
            advice="DeepSpeed compiles its optimisers with them. Activate the environment (source "
            ".venv-openrlhf/bin/activate), which has ninja, and install g++.",
        )
    yield f"torch {release} for CUDA {built}, driver for CUDA {driver or '(unknown)'}, nvcc of {toolkit or '(none)'}"


def driver_cuda() -> int | None:
    """The newest major version of CUDA that the driver supports, e.g. 13; None without a driver.

    libcuda answers this without using a GPU. Its answer includes NVIDIA's compatibility packages in containers.
    """
    version = ctypes.c_int()
    try:
        failed = ctypes.CDLL("libcuda.so.1").cuDriverGetVersion(ctypes.byref(version))
    except (OSError, AttributeError):
        return None
    return None if failed else version.value // 1000


def nvcc_cuda() -> str | None:
    """The release of the nvcc that torch and DeepSpeed would use, e.g. "13.0"; None without one."""
    home = os.environ.get("CUDA_HOME") or os.environ.get("CUDA_PATH")
    on_path = shutil.which("nvcc")
    program = Path(home, "bin", "nvcc") if home else Path(on_path or _TOOLKIT / "bin" / "nvcc")
    try:
        output = subprocess.run([program, "-V"], capture_output=True, text=True, timeout=_SECONDS, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    release = re.search(r"release (\d+\.\d+)", output)
    return release[1] if release else None
