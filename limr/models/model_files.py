"""The files of a Hugging Face model directory that this project uses."""

import json
from pathlib import Path, PurePosixPath

from limr.errors import LimrError

REQUIRED = ("config.json", "tokenizer.json", "tokenizer_config.json")
OPTIONAL = (
    "generation_config.json",
    "chat_template.jinja",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
)
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"


def local_files(folder: Path) -> dict[str, Path]:
    """Name -> file of what a model directory holds that we use. Raises LimrError where something is missing."""
    if not folder.is_dir():
        raise LimrError(f"base_model.path: {folder}: no such folder; expected a Hugging Face model directory")
    names = [*REQUIRED, *(name for name in OPTIONAL if (folder / name).is_file())]
    names += shards(folder / INDEX) if (folder / INDEX).is_file() else [WEIGHTS]
    names += [INDEX] * (folder / INDEX).is_file()
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise LimrError(
            f"base_model.path: {folder}: no {', '.join(missing)}; expected a Hugging Face model directory with weights "
            "as safetensors"
        )
    return {name: folder / name for name in names}


def shards(index: Path) -> list[str]:
    """The files that an index of safetensors names. Raises LimrError where it is none, or leads out of its folder."""
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise LimrError(f"{index}: not an index of safetensors files: {error!r}") from error
    for name in names:
        if PurePosixPath(name).name != name or not name.endswith(".safetensors"):
            raise LimrError(f"{index}: names the file {name!r}; expected safetensors files beside it")
    return names
