"""One finished run of the whole pipeline for all its tests, and the reference data."""

from pathlib import Path

import pytest
from places import REFERENCE, WITHOUT_REFERENCE
from workplace import Workplace, new_workplace


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    """A folder with the configuration of the pipeline test."""
    return new_workplace(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A finished run of all targets. Tests that change results work on a copy."""
    place = new_workplace(tmp_path_factory.mktemp("finished"))
    place.make()
    return place


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of the whole reference data beside the repository."""
    if not REFERENCE.is_dir():
        pytest.skip(WITHOUT_REFERENCE)
    return REFERENCE
