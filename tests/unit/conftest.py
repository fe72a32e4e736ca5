"""Fixtures that several folders share: a hub to download from, and a tiny model."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_stand_in import HubStandIn, point_at, served


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubStandIn]:
    """An empty stand-in for the Hugging Face hub, with its own cache and no waiting between attempts."""
    from huggingface_hub import constants

    with served(HubStandIn({})) as stand_in:
        point_at(stand_in.endpoint, monkeypatch)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(time, "sleep", lambda seconds: None)
        yield stand_in


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a random one-layer Qwen2, which no test may change."""
    from tiny_model import save_model

    path = tmp_path_factory.mktemp("tiny") / "model"
    save_model(path)
    return path


@pytest.fixture
def model_copy(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may change."""
    return Path(shutil.copytree(tiny_model, tmp_path / "copy"))
