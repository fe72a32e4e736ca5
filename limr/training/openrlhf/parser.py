"""OpenRLHF's own argument parser and checks, run on a command line where nothing of it needs to be installed.

They stand in ``openrlhf/cli/train_ppo_ray.py`` under ``if __name__ == "__main__"``, and end in ``train(args)``. What
comes before that call is run as it is; the file's imports (Ray, vLLM, DeepSpeed) are not.
"""

import argparse
import ast
import contextlib
import importlib.metadata
import io
import logging
import os
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from limr.errors import LimrError
from limr.training.openrlhf import VERSION

logger = logging.getLogger(__name__)

COMMAND, CONFIG = Path("cli/train_ppo_ray.py"), Path("utils/config.py")


def installed() -> Path | None:
    """The folder of the installed package ``openrlhf``, which is not imported; None where there is none."""
    try:
        return Path(str(importlib.metadata.distribution("openrlhf").locate_file("openrlhf")))
    except importlib.metadata.PackageNotFoundError:
        return None


def unpack(wheel: Path, folder: Path) -> Path:
    """Take the two files that parsing needs out of OpenRLHF's wheel; the folder to give to ``parse``."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            for file in (COMMAND, CONFIG):
                if name.endswith(f"openrlhf/{file}"):
                    target = folder / file
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(archive.read(name))
    return folder


def parse(line: Sequence[str], package: Path) -> SimpleNamespace:
    """The arguments as OpenRLHF's ``train`` would be given them, nested by their dots.

    ``package`` is the folder of the package ``openrlhf``. Arguments must be written out: the real parser would take any
    unambiguous beginning of a name for the whole. Raises LimrError for a line that it, or a check of its, refuses.
    """
    body = _main_block(package / COMMAND)
    names: dict[str, Any] = {
        "argparse": SimpleNamespace(ArgumentParser=lambda: _Parser(line)),
        "hierarchize": _hierarchize(package / CONFIG),
        "datetime": datetime,
        "os": os,
    }
    remarks = io.StringIO()
    try:
        with contextlib.redirect_stdout(remarks):
            exec(compile(body, str(package / COMMAND), "exec"), names)
    except AssertionError as error:
        raise LimrError(f"OpenRLHF {VERSION} refuses these arguments: {error}") from error
    for remark in filter(None, remarks.getvalue().splitlines()):
        logger.warning("OpenRLHF: %s", remark)
    return names["args"]


class _Parser(argparse.ArgumentParser):
    """Parses the given line in the place of ``sys.argv``, takes whole names only, and raises where it would exit."""

    def __init__(self, line: Sequence[str]) -> None:
        super().__init__(prog="openrlhf.cli.train_ppo_ray", allow_abbrev=False)
        self._line = list(line)

    def parse_args(self) -> argparse.Namespace:
        return super().parse_args(self._line)

    def error(self, message: str) -> None:
        raise LimrError(f"OpenRLHF {VERSION} refuses these arguments: {message}")


def _main_block(file: Path) -> ast.Module:
    """The file's main block without its imports and without the call that starts training."""
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise LimrError(f"{file}: cannot be read ({error.strerror}): is this OpenRLHF {VERSION}?") from error
    blocks = [node for node in tree.body if isinstance(node, ast.If) and "__main__" in ast.dump(node.test)]
    if not blocks or ast.unparse(blocks[0].body[-1]) != "train(args)":
        raise LimrError(f"{file}: has no main block that ends in train(args): expected OpenRLHF {VERSION}")
    return ast.Module([node for node in blocks[0].body[:-1] if not isinstance(node, ast.ImportFrom)], [])


def _hierarchize(file: Path) -> Any:
    names: dict[str, Any] = {}
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), names)
    return names["hierarchize"]
