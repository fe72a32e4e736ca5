"""The base model as a Hugging Face directory: from the hub at a pinned revision, or from a folder on this machine."""

import logging
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from limr.data.hub import hub_file, optional_hub_file
from limr.files.atomic import whole_directory
from limr.models.checkpoint import check_checkpoint
from limr.models.model_files import INDEX, OPTIONAL, REQUIRED, WEIGHTS, local_files, shards

logger = logging.getLogger(__name__)


def fetch_base_model(settings: Mapping[str, Any], output: Path) -> None:
    """Make the model directory ``output`` from the folder ``path`` of ``settings``, or else from the hub.

    ``settings``: the ``base_model`` section, with ``path``, or ``repository`` and ``revision``. Only safetensors
    weights are taken, and no code. Files are hard links where possible, so that the 15 GB of a 7B model are not stored
    twice; otherwise they are copies.

    Raises LimrError if a file cannot be fetched, or if the files are not a causal language model with a tokenizer and a
    chat template. The check does not load the weights, so it fails before hours of GPU time are spent.
    """
    if settings.get("path"):
        source = str(settings["path"])
        files = local_files(Path(source))
    else:
        source = f"{settings['repository']}@{settings['revision'][:12]}"
        files = dict(_files_on_hub(settings["repository"], settings["revision"]))
    with whole_directory(output) as folder:
        for name, file in files.items():
            link_or_copy(file, folder / name)
        model, _ = check_checkpoint(folder, where=("base_model", source))  # the name of ``folder`` is temporary
        size = sum((folder / name).stat().st_size for name in files)
        parameters = sum(weight.numel() for weight in model.parameters())
        logger.info("base model from %s: %s with %s parameters, %.1f GB in %d files",
                    source, type(model).__name__, f"{parameters:,}", size / 1e9, len(files))  # fmt: skip


def _files_on_hub(repository: str, revision: str) -> Iterable[tuple[str, Path]]:
    """Name and path in the hub's cache of each file of the model."""
    logger.info("downloading %s at revision %s", repository, revision)
    for name in REQUIRED:
        yield name, hub_file(repository, revision, name, "model")
    for name in OPTIONAL:
        if file := optional_hub_file(repository, revision, name, "model"):
            yield name, file
    names = [WEIGHTS]
    if index := optional_hub_file(repository, revision, INDEX, "model"):
        yield INDEX, index
        names = shards(index)
    for number, name in enumerate(names, start=1):
        yield name, hub_file(repository, revision, name, "model")
        logger.info("%s: %d of %d: %s", repository, number, len(names), name)


def link_or_copy(source: str | Path, target: str | Path) -> None:
    """Make ``target`` a hard link to the file ``source``, or a copy of it where no link is possible."""
    try:
        os.link(Path(source).resolve(), target)
    except OSError:  # another disk, or a file of another user
        shutil.copyfile(source, target)
