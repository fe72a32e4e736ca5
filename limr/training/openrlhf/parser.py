"""Check a command line with OpenRLHF's own parser and checks, without its dependencies.

Parser and checks are in ``openrlhf/cli/train_ppo_ray.py``, or ``train_sft.py`` for supervised fine-tuning, under
``if __name__ == "__main__"``, and end with ``train(args)``. This module runs the code before that call, without the
file's imports (Ray, vLLM, DeepSpeed).
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

COMMAND, SUPERVISED, CONFIG = Path("cli/train_ppo_ray.py"), Path("cli/train_sft.py"), Path("utils/config.py")


def installed() -> Path | None:
    """The folder of the installed package ``openrlhf``, without importing it; None if it is not installed."""
    try:
        return Path(str(importlib.metadata.distribution("openrlhf").locate_file("openrlhf")))
    except importlib.metadata.PackageNotFoundError:
        return None


def unpack(wheel: Path, folder: Path) -> Path:
    """Extract the files that parsing needs from OpenRLHF's ``wheel``. Returns the folder for ``parse``."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            for file in (COMMAND, SUPERVISED, CONFIG):
                if name.endswith(f"openrlhf/{file}"):
                    target = folder / file
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(archive.read(name))
    return folder


def parse(line: Sequence[str], package: Path, command: Path = COMMAND) -> SimpleNamespace:
    """The arguments of ``line`` as OpenRLHF's ``train`` gets them, nested by the dots in their names.

    ``package``: the folder of the package ``openrlhf``. ``command``: the file in it that reads the line. Names must be
    complete, although the real parser accepts unambiguous abbreviations. Raises LimrError if OpenRLHF's parser or one
    of its checks refuses the line.
    """
    body = _main_block(package / command)
    names: dict[str, Any] = {
        "argparse": SimpleNamespace(ArgumentParser=lambda: _Parser(line, command.stem)),
        "hierarchize": _hierarchize(package / CONFIG),
        "datetime": datetime,
        "os": os,
    }
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output):
            exec(compile(body, str(package / command), "exec"), names)
    except AssertionError as error:
        raise LimrError(f"OpenRLHF {VERSION} refuses these arguments: {error}") from error
    for warning in filter(None, output.getvalue().splitlines()):
        logger.warning("OpenRLHF: %s", warning)
    return names["args"]


class _Parser(argparse.ArgumentParser):
    """Parses the given line instead of ``sys.argv``, accepts complete names only, and raises instead of exiting."""

    def __init__(self, line: Sequence[str], command: str) -> None:
        super().__init__(prog=f"openrlhf.cli.{command}", allow_abbrev=False)
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
        raise LimrError(
            f"cannot be read ({error.strerror})", where=file, expected=f"a file of OpenRLHF {VERSION}"
        ) from error
    blocks = [node for node in tree.body if isinstance(node, ast.If) and "__main__" in ast.dump(node.test)]
    if not blocks or ast.unparse(blocks[0].body[-1]) != "train(args)":
        raise LimrError("no main block that ends with train(args)", where=file, expected=f"OpenRLHF {VERSION}")
    return ast.Module([node for node in blocks[0].body[:-1] if not isinstance(node, ast.ImportFrom)], [])


def _hierarchize(file: Path) -> Any:
    names: dict[str, Any] = {}
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), names)
    return names["hierarchize"]
