"""The size of training runs; missing and truncated rollouts are refused."""

from refusals import refused

from limr.errors import ContractError
from limr.report.training_runs import TrainingRun, read_runs


def test_the_size_of_a_run_is_counted_from_its_files(run):
    runs = read_runs(run["subsets"], run["rollouts"])
    assert runs["lim"] == [TrainingRun(questions=8, steps=5, rollouts=40), TrainingRun(11, 5, 40)]
    assert runs["full"] == [TrainingRun(16, 5, 40)] * 2


def test_truncated_and_missing_rollouts_are_named(run):
    folder = run["rollouts"]["lim"][1]
    (folder / "2.parquet").write_bytes((folder / "2.parquet").read_bytes()[:50])
    with refused(
        ContractError, where="lim/3/2.parquet", what="cannot be read", advice=f"Delete the whole run, {folder.parent}"
    ):
        read_runs(run["subsets"], run["rollouts"])
    for shard in folder.iterdir():
        shard.unlink()
    with refused(ContractError, where=folder, found="no rollouts"):
        read_runs(run["subsets"], run["rollouts"])
