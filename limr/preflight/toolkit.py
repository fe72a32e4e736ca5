"""CUDA: the driver, and the compilers that DeepSpeed's operators need when they are first used.

Without them a run fails minutes after its start: when torch first asks for a GPU, or when DeepSpeed 0.19.6 compiles its
optimiser (``op_builder/builder.py``), for which it wants nvcc of the very CUDA that torch is built for, ninja and a C++
compiler.
"""

import ctypes
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from limr.preflight.facts import Facts, Problem

_TOOLKIT = Path("/usr/local/cuda")  # where torch looks last
_SECONDS = 30


def cuda(facts: Facts) -> Iterable[str]:
    """The driver and the compilers against the CUDA that the installed torch is built for."""
    import torch

    built, release = torch.version.cuda, torch.__version__
    if not (facts.trains or facts.evaluates) or (built is None and facts.vllm_is_for_cpus):
        return
    if built is None:
        yield Problem(f"torch {release} is a build without CUDA: make the environment anew, from an index with others")
        return
    driver = driver_cuda()
    if driver and driver < int(built.split(".")[0]):
        yield Problem(
            f"the driver knows CUDA {driver}, torch {release} is built for CUDA {built}: install a newer driver "
            "(580 or later for CUDA 13; nvidia-smi shows which there is), or use a container (envs/)"
        )
    if not facts.trains:
        return
    toolkit = nvcc_cuda()
    if toolkit is None or (toolkit != built and os.environ.get("DS_SKIP_CUDA_CHECK") != "1"):
        found = f"nvcc of CUDA {toolkit}" if toolkit else "no nvcc"
        yield Problem(
            f"found {found}, expected that of CUDA {built}, which torch {release} is built for: DeepSpeed compiles its "
            "optimisers with it. Name its folder in CUDA_HOME (on clusters often: module load cuda), or use the "
            "environment of envs/openrlhf.yaml or a container (envs/)"
        )
    compiler = (shlex.split(os.environ.get("CXX", "")) or ["c++"])[0]  # as torch names it
    missing = [name for name in ("ninja", compiler) if shutil.which(name) is None]
    if missing:
        yield Problem(
            f"not on PATH: {' and '.join(missing)}, with which DeepSpeed compiles its optimisers: activate the "
            "environment (source .venv-openrlhf/bin/activate), which has ninja; install g++"
        )
    yield f"torch {release} for CUDA {built}, driver for CUDA {driver or '(unknown)'}, nvcc of {toolkit or '(none)'}"


def driver_cuda() -> int | None:
    """The newest major version of CUDA that the driver knows (13); None where there is none to be asked.

    It is asked of libcuda, which touches no GPU for it, and counts NVIDIA's compatibility packages in containers.
    """
    version = ctypes.c_int()
    try:
        failed = ctypes.CDLL("libcuda.so.1").cuDriverGetVersion(ctypes.byref(version))
    except (OSError, AttributeError):
        return None
    return None if failed else version.value // 1000


def nvcc_cuda() -> str | None:
    """The release of the nvcc that torch and DeepSpeed would take ("13.0"); None where there is none."""
    home = os.environ.get("CUDA_HOME") or os.environ.get("CUDA_PATH")
    on_path = shutil.which("nvcc")
    program = Path(home, "bin", "nvcc") if home else Path(on_path or _TOOLKIT / "bin" / "nvcc")
    try:
        said = subprocess.run([program, "-V"], capture_output=True, text=True, timeout=_SECONDS, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    release = re.search(r"release (\d+\.\d+)", said)
    return release[1] if release else None
