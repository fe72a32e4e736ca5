"""The files of a Hugging Face model directory that this project uses."""

from pathlib import Path, PurePosixPath

from limr.errors import LimrError, shown
from limr.files.strict_json import parse_json

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
_INDEX = 'an index of safetensors files, {"weight_map": {...}}'


def local_files(folder: Path) -> dict[str, Path]:
    """Name -> file of each file in model directory ``folder`` that we use. Raises LimrError if one is missing."""
    if not folder.is_dir():
        raise LimrError("no such folder", where=("base_model.path", folder), expected="a Hugging Face model directory")
    names = [*REQUIRED, *(name for name in OPTIONAL if (folder / name).is_file())]
    if (folder / INDEX).is_file():
        names += [*shards(folder / INDEX), INDEX]
    else:
        names += [WEIGHTS]
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise LimrError(
            f"no {', '.join(missing)}",
            where=("base_model.path", folder),
            expected="a Hugging Face model directory with safetensors weights",
        )
    return {name: folder / name for name in names}


def shards(index: Path) -> list[str]:
    """The weight files that a safetensors index lists.

    Raises LimrError if ``index`` is not such an index, or lists a file outside its folder.
    """
    found = parse_json(index.read_bytes(), str(index), _INDEX)
    file_of = found.get("weight_map") if isinstance(found, dict) else None
    if not isinstance(file_of, dict):
        raise LimrError(where=index, found=shown(found), expected=_INDEX)
    for name in file_of.values():
        if not isinstance(name, str) or PurePosixPath(name).name != name or not name.endswith(".safetensors"):
            raise LimrError(
                where=(index, "weight_map"), found=shown(name), expected="safetensors files in the same folder"
            )
    return sorted(set(file_of.values()))
