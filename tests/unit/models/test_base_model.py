"""The base model from a stand-in for the hub and from a folder: which files arrive, and which models are refused."""

import json
import shutil
from pathlib import Path

import pytest
from hub_stand_in import BUSY, CORRUPT, HubStandIn, point_at
from refusals import refused
from tiny_model import save_model

from limr.data.hub import NotOnHubError
from limr.models.base_model import fetch_base_model
from limr.models.checkpoint import load_checkpoint
from limr.models.model_files import INDEX

REPOSITORY = {"repository": "org/model", "revision": "0" * 40}


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory with weights in several files."""
    path = tmp_path_factory.mktemp("source") / "model"
    save_model(path, max_shard_size="4KB")
    (path / "pytorch_model.bin").write_bytes(b"a pickle, which is code")
    return path


@pytest.fixture
def on_hub(hub: HubStandIn, source: Path) -> HubStandIn:
    hub.files |= {f"org/model/{file.name}": file.read_bytes() for file in source.iterdir()}
    return hub


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def files_without_pickles(source: Path) -> dict[str, bytes]:
    return {name: content for name, content in contents(source).items() if name != "pytorch_model.bin"}


def test_a_model_from_the_hub_is_complete_without_pickles_and_can_be_loaded(on_hub, source, tmp_path):
    on_hub.faults = [BUSY, CORRUPT]
    fetch_base_model(REPOSITORY, tmp_path / "base_model")
    assert contents(tmp_path / "base_model") == files_without_pickles(source)
    assert len([name for name in files_without_pickles(source) if name.endswith(".safetensors")]) > 1
    load_checkpoint(tmp_path / "base_model")


def test_the_hub_and_a_folder_give_the_same_files(on_hub, source, tmp_path):
    fetch_base_model(REPOSITORY, tmp_path / "from_hub")
    fetch_base_model({"path": str(source)}, tmp_path / "from_folder")
    assert contents(tmp_path / "from_hub") == contents(tmp_path / "from_folder")


def test_with_a_folder_nothing_is_downloaded(on_hub, source, tmp_path):
    fetch_base_model(REPOSITORY | {"path": str(source)}, tmp_path / "base_model")
    assert not on_hub.downloads


def test_weights_are_not_stored_twice(source, tmp_path):
    fetch_base_model({"path": str(source)}, tmp_path / "base_model")
    assert (tmp_path / "base_model" / INDEX).samefile(source / INDEX)


def test_without_a_connection_a_model_in_the_cache_is_used(on_hub, source, tmp_path, monkeypatch):
    from huggingface_hub import constants

    fetch_base_model(REPOSITORY, tmp_path / "first")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    fetch_base_model(REPOSITORY, tmp_path / "second")
    assert contents(tmp_path / "second") == files_without_pickles(source)


def test_without_a_connection_the_error_explains_how_to_name_a_folder(on_hub, tmp_path, monkeypatch):
    point_at("http://127.0.0.1:9", monkeypatch)  # no server listens there
    with refused(
        where="org/model@000000000000/config.json", what="cannot be downloaded", advice="base_model: {path: FOLDER}"
    ):
        fetch_base_model(REPOSITORY, tmp_path / "base_model")
    assert not (tmp_path / "base_model").exists()


def test_a_failure_of_the_hub_is_not_taken_for_a_missing_optional_file(on_hub, tmp_path):
    """Without generation_config.json a model may have other end tokens."""
    on_hub.busy_names = {"org/model/generation_config.json"}
    with refused(where="generation_config.json", what="cannot be downloaded"):
        fetch_base_model(REPOSITORY, tmp_path / "base_model")


def test_the_error_for_a_gated_model_explains_how_to_get_access(on_hub, tmp_path):
    on_hub.gated = True
    with refused(what="accepted its terms", advice="set HF_TOKEN"):
        fetch_base_model(REPOSITORY, tmp_path / "base_model")


def test_a_model_with_pickled_weights_only_is_refused(on_hub, tmp_path):
    on_hub.files = {name: content for name, content in on_hub.files.items() if "safetensors" not in name}
    with refused(NotOnHubError, where="model.safetensors", what="the hub does not have this file"):
        fetch_base_model(REPOSITORY, tmp_path / "base_model")


def test_an_index_that_lists_a_file_outside_its_folder_is_refused(on_hub, tmp_path):
    name = f"org/model/{INDEX}"
    index = json.loads(on_hub.files[name])
    index["weight_map"] = dict.fromkeys(index["weight_map"], "../../elsewhere.safetensors")
    on_hub.files[name] = json.dumps(index).encode()
    with refused(
        where=(INDEX, "weight_map"),
        found="../../elsewhere.safetensors",
        expected="safetensors files in the same folder",
    ):
        fetch_base_model(REPOSITORY, tmp_path / "base_model")


def _truncate_weights(folder: Path) -> None:
    file = next(folder.glob("*.safetensors"))
    file.write_bytes(file.read_bytes()[:-4])


@pytest.mark.parametrize(
    ("spoil", "parts"),
    [
        (shutil.rmtree, {"what": "no such folder", "expected": "a Hugging Face model directory"}),
        (
            lambda folder: (folder / "tokenizer.json").unlink(),
            {"what": "no tokenizer.json", "expected": "a Hugging Face model directory"},
        ),
        (
            lambda folder: next(folder.glob("*.safetensors")).unlink(),
            {"what": "no model-", "expected": "safetensors weights"},
        ),
        (_truncate_weights, {"what": "truncated or damaged", "advice": "download the file again"}),
        (lambda folder: (folder / "chat_template.jinja").unlink(), {"what": "no chat template"}),
    ],
)
def test_the_error_for_an_unusable_folder_names_it_and_no_base_model_is_written(source, tmp_path, spoil, parts):
    folder = shutil.copytree(source, tmp_path / "copy")
    spoil(folder)
    with refused(where=("base_model", folder), **parts) as raised:
        fetch_base_model({"path": str(folder)}, tmp_path / "base_model")
    assert ".partial" not in str(raised.value)
    assert not (tmp_path / "base_model").exists()
