"""These tests install and run a real SLURM: only ``make test-slurm`` wants them, as root on Debian."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cluster import Cluster
    from workplace import Workplace

if not os.environ.get("LIMR_TEST_SLURM"):
    collect_ignore_glob = ["*.py"]


@pytest.fixture(scope="module")
def cluster(request: pytest.FixtureRequest) -> "Iterator[Cluster]":
    """A cluster, with accounts where the test asks for them."""
    from cluster import Cluster, install

    install()
    made = Cluster(accounts=getattr(request, "param", False))
    made.up()
    try:
        yield made
    finally:
        made.down()


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> "Workplace":
    """The whole DAG of the pipeline's tests, run on this machine without SLURM."""
    from workplace import new_workplace

    place = new_workplace(tmp_path_factory.mktemp("local"))
    place.make("results/table2.md")
    return place


@pytest.fixture(scope="session")
def one_arm(tmp_path_factory: pytest.TempPathFactory) -> "Workplace":
    """A run of FULL alone that trains for half a minute, finished without SLURM."""
    from slurm_runs import OneArm

    return OneArm.finished(tmp_path_factory.mktemp("one_arm"))
