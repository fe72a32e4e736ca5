"""Fake SLURM commands for tests."""

import os
from pathlib import Path

import pytest


def pretend(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, body: str) -> None:
    """Put a command ``name`` first on PATH, which runs the sh script ``body``."""
    program = folder / "pretended" / name
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
