"""One tiny world for all tests of training."""

import pytest
from world import World, new_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Problems, a base model and settings. Tests write elsewhere."""
    return new_world(tmp_path_factory.mktemp("world"))
