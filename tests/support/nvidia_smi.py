"""A stand-in for ``nvidia-smi``: it lists the GPUs that a test pretends to have."""

import os
from pathlib import Path

import pytest

H100 = ("NVIDIA H100 80GB HBM3", 81559, 4, "9.0")


def pretend_gpus(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *gpus: tuple[str, int, int, str],
    fails: str = "",
    hangs: bool = False,
) -> None:
    """Put an ``nvidia-smi`` first on PATH that lists ``gpus``: name, MiB, MiB in use, compute capability."""
    lines = [
        f"{index}, GPU-{index:08x}-aaaa, {name}, {memory}, {used}, {capability}"
        for index, (name, memory, used, capability) in enumerate(gpus)
    ]
    body = (
        f"echo '{fails}' >&2; exit 9"
        if fails
        else "sleep 60"
        if hangs
        else "cat <<'END'\n" + "\n".join([*lines, "END"])
    )
    program = folder / "pretended" / "nvidia-smi"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
