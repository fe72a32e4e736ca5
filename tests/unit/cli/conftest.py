"""The training run that the commands read."""

from pathlib import Path

import pytest
from a_run import write_run


@pytest.fixture(scope="session")
def rollouts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of verl's rollouts, which no test may change."""
    folder = tmp_path_factory.mktemp("run")
    write_run(folder)
    return folder / "rollouts"
