"""The base model as a Hugging Face directory: from the hub at a pinned revision, or from a folder on this machine."""

import logging
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from limr.data.hub import hub_file, optional_hub_file
from limr.errors import LimrError
from limr.files.atomic import whole_directory
from limr.models.checkpoint import check_checkpoint
from limr.models.model_files import INDEX, OPTIONAL, REQUIRED, WEIGHTS, local_files, shards

logger = logging.getLogger(__name__)


def fetch_base_model(settings: Mapping[str, Any], output: Path) -> None:
    """Make the model directory ``output`` from the folder ``path`` of ``settings``, or else from the hub.

    ``settings``: the ``base_model`` section, with ``path``, or ``repository`` and ``revision``. Weights are safetensors
    only, and no code comes along. Files are hard links where that is possible (15 GB for a model of 7B parameters are
    not stored twice), and copies where it is not.

    Raises LimrError when files cannot be had or are not a causal language model with a tokenizer and a chat template:
    all of it is looked at here, without loading weights, so that it is known before hours on GPUs are spent.
    """
    local = settings.get("path")
    files = local_files(Path(local)) if local else dict(_from_hub(settings["repository"], settings["revision"]))
    with whole_directory(output) as folder:
        for name, file in files.items():
            _link_or_copy(file, folder / name)
        try:
            model, _ = check_checkpoint(folder)
        except LimrError as error:  # what it names is a temporary folder
            where = local or f"{settings['repository']}@{settings['revision'][:12]}"
            raise LimrError(f"base_model: {where}: {str(error).removeprefix(f'{folder}: ')}") from error
        size = sum((folder / name).stat().st_size for name in files)
        logger.info("%s with %s parameters, %.1f GB in %d files from %s", type(model).__name__,
                    f"{sum(weight.numel() for weight in model.parameters()):,}", size / 1e9, len(files),
                    local or f"{settings['repository']}@{settings['revision'][:12]}")  # fmt: skip


def _from_hub(repository: str, revision: str) -> Iterable[tuple[str, Path]]:
    logger.info("downloading %s at revision %s", repository, revision)
    for name in REQUIRED:
        yield name, hub_file(repository, revision, name, "model")
    for name in OPTIONAL:
        if file := optional_hub_file(repository, revision, name, "model"):
            yield name, file
    index = optional_hub_file(repository, revision, INDEX, "model")
    names = [WEIGHTS]
    if index:
        yield INDEX, index
        names = shards(index)
    for number, name in enumerate(names, start=1):
        yield name, hub_file(repository, revision, name, "model")
        logger.info("%s: %d of %d: %s", repository, number, len(names), name)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:  # another disk, or another person's file
        shutil.copyfile(source, target)
