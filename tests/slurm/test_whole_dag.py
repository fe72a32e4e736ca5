"""The whole DAG on a real SLURM, with and without accounts: the same table as on this machine alone."""

from pathlib import Path

import pytest
from cluster import Cluster
from slurm_runs import SITE, OnSlurm
from workplace import TEST_CONFIGURATION, Workplace


@pytest.mark.parametrize("cluster", [False, True], ids=["no accounts", "accounts"], indirect=True)
def test_the_table_is_the_local_one_byte_for_byte(cluster: Cluster, local: Workplace, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_bytes(TEST_CONFIGURATION.read_bytes())
    account = "default-resources: {slurm_account: paper}\n" if cluster.accounts else ""
    place = OnSlurm(tmp_path, SITE + account)
    output = place.make()
    for table in ("table2.md", "table2.csv", "table2.json"):
        assert (place.results / table).read_bytes() == (local.results / table).read_bytes()
    submitted = output.count("has been submitted with SLURM jobid")
    expected = "data, base model, 3 runs, trajectories, 4 evaluations, the checkpoints of 3 runs; other jobs are local"
    assert submitted == 13, expected
    assert not cluster.jobs("pending,running")
    assert "Nothing to be done" in place.make("--dry-run")
    if cluster.accounts:
        jobs = cluster.run("sacct", "--noheader", "--allocations", "--parsable2", "--format=account,state").split()
        assert jobs == ["paper|COMPLETED"] * submitted
