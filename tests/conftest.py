"""What all tests share: the settings of property tests, which may be slow on a busy machine, and real trajectories."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from real_data import write_one_shot_rlvr

settings.register_profile("limr", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("limr")


@pytest.fixture(scope="session")
def one_shot_rlvr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of trajectories that One-Shot-RLVR released, which no test may change."""
    return write_one_shot_rlvr(tmp_path_factory.mktemp("one_shot_rlvr") / "acc_step_500.json")
