"""These tests install and run a real SLURM, as root on Debian; only ``make test-slurm`` runs them."""

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
    """A cluster, with accounts if the test needs them."""
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
    """A finished run of the pipeline test on this machine, without SLURM."""
    from workplace import new_workplace

    place = new_workplace(tmp_path_factory.mktemp("local"))
    place.make("results/table2.md")
    return place


@pytest.fixture(scope="session")
def one_method(tmp_path_factory: pytest.TempPathFactory) -> "Workplace":
    """A finished run of FULL alone, which trains for half a minute, without SLURM."""
    from slurm_runs import OneMethod

    return OneMethod.finished(tmp_path_factory.mktemp("one_method"))
