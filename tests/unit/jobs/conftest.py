"""A complete folder of results, written once and copied for each test."""

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest
from complete_results import write_results


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The configuration of a complete folder of results, which no test may change."""
    return write_results(tmp_path_factory.mktemp("complete") / "results")


@pytest.fixture
def configuration(tmp_path: Path, original: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a copy in ``tmp_path / "results"``; a test may change both."""
    results = tmp_path / "results"
    shutil.copytree(original["results"], results)
    return copy.deepcopy(original) | {"results": str(results)}
