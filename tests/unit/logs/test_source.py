"""Sources: the recognised formats, what is refused, and that all forms of one run agree."""

import json

import polars as pl
import pytest
from a_run import write_run
from refusals import refused

from limr.errors import ContractError, Words
from limr.files.contracts import write_parquet
from limr.logs.convert import convert
from limr.logs.findings import FindingKind
from limr.logs.log import LogOptions
from limr.logs.source import read_source
from limr.trajectories import Trajectories


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("run"))


def test_a_log_its_conversion_and_its_trajectories_give_the_same_curves(log, tmp_path):
    of_log = read_source(log)
    assert len(of_log.prompts) == len(of_log.trajectories.prompt_ids) == 40
    convert(log, tmp_path / "rollouts")
    of_rollouts = read_source(tmp_path / "rollouts")
    assert of_rollouts.prompts is None
    assert of_rollouts.audit.format == "rollouts of this project"
    assert of_rollouts.audit.files == of_log.audit.files == 20
    write_parquet(of_log.trajectories.frame(), tmp_path / "trajectories.parquet", "trajectories")
    of_file = read_source(tmp_path / "trajectories.parquet")
    expected = of_log.trajectories.frame()
    assert expected.equals(of_rollouts.trajectories.frame())
    assert expected.equals(of_file.trajectories.frame())
    assert not of_log.audit.findings and not of_rollouts.audit.findings and not of_file.audit.findings


@pytest.mark.parametrize("shard", ["rollouts_00000.parquet", "rollouts_00019.parquet"])
def test_a_shard_without_a_column_is_named_and_the_folder_is_not_read_as_a_table(log, tmp_path, shard):
    convert(log, tmp_path / "rollouts")
    file = tmp_path / "rollouts" / shard
    pl.read_parquet(file).drop("visit").write_parquet(file)
    with refused(ContractError, where=(file, "column 'visit'"), found="none", expected="Int64"):
        read_source(tmp_path / "rollouts")


def test_one_shard_is_a_source_as_well(log, tmp_path):
    convert(log, tmp_path / "rollouts")
    shard = read_source(min((tmp_path / "rollouts").iterdir()))
    assert len(shard.trajectories) == 10


def test_the_option_visits_cuts_every_source_to_its_first_visits(log, tmp_path):
    convert(log, tmp_path / "rollouts")
    for source in (log, tmp_path / "rollouts"):
        assert read_source(source, visits=2).trajectories.epoch.max() == 1
        assert read_source(source, visits=2).audit.visits == 2
        with refused(where=source, what="no prompt has 6 visits, the longest curve has 5", advice="--visits"):
            read_source(source, visits=6)
        with refused(where="visits", found="0", expected="at least 1"):
            read_source(source, visits=0)


def test_options_for_logs_are_refused_where_they_have_no_effect(log, tmp_path):
    convert(log, tmp_path / "rollouts")
    with refused(where="rollouts", what="options for logs have no effect", advice="--samples"):
        read_source(tmp_path / "rollouts", LogOptions(samples=4))


def test_a_source_in_no_known_format_is_refused_with_its_name(tmp_path):
    with refused(where="absent"):
        read_source(tmp_path / "absent")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    with refused(where="broken.parquet"):
        read_source(tmp_path / "broken.parquet")
    pl.DataFrame({"x": [1]}).write_parquet(tmp_path / "other.parquet")
    with refused(where="other.parquet"):
        read_source(tmp_path / "other.parquet")


def test_a_broken_one_shot_file_is_refused_with_the_prompt(tmp_path):
    path = tmp_path / "accuracies.json"
    path.write_text(json.dumps({"7": [0.5, 0.3]}))
    with refused(ContractError, where=(path, "prompt 7", "visit 1"), found="0.3"):
        read_source(path)


def test_the_real_one_shot_trajectories_are_read_whole_and_cut(one_shot_rlvr):
    whole, cut = read_source(one_shot_rlvr), read_source(one_shot_rlvr, visits=44)
    assert isinstance(whole.trajectories, Trajectories)
    assert whole.prompts is None
    assert whole.audit.visits_of_prompt == (44, 53, 57)
    assert whole.audit.visits == 50
    assert sum(whole.audit.dropped.values()) == 1209 - whole.audit.whole > 0
    assert whole.audit.findings[0].kind is FindingKind.INCOMPLETE_CURVES
    assert "All prompts have the first 44: `--visits 44`" in whole.audit.findings[0].render(Words.COMMAND_LINE)
    assert (cut.audit.prompts, cut.audit.visits, cut.audit.whole) == (1209, 44, 1209)
    assert not cut.audit.findings
