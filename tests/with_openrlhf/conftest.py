"""Tests with the real OpenRLHF, Ray, vLLM and DeepSpeed: ``make test-openrlhf``, in an environment that has them.

They run on a CPU: ``stand_in_for_cuda`` replaces the code that needs CUDA.
"""

import os

import pytest
from openrlhf_runs import World, new_world

ENABLED = "LIMR_TEST_OPENRLHF"

collect_ignore_glob = [] if os.environ.get(ENABLED) else ["*"]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Problems, a base model that vLLM can load, and settings."""
    return new_world(tmp_path_factory.mktemp("world"))
