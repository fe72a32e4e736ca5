"""`limr audit`: the report on standard output, and a missing file of the log."""

import json
import shutil

from a_run import STEPS_PER_EPOCH
from commands import exit_status, run_limr
from refusals import refused


def test_the_audit_is_printed_as_markdown(rollouts, capsys):
    assert exit_status("audit", rollouts) == 0
    assert capsys.readouterr().out.startswith("# Audit\n")


def test_a_missing_step_is_an_error_unless_visits_are_numbered_by_step(rollouts, tmp_path, capsys):
    folder = shutil.copytree(rollouts, tmp_path / "rollouts")
    (folder / "7.jsonl").unlink()
    with refused(advice="--steps-per-epoch") as raised:
        run_limr("audit", folder)
    assert "7" in str(raised.value)
    assert exit_status("audit", folder, "--steps-per-epoch", STEPS_PER_EPOCH) == 0
    assert "Steps are missing: 7." in capsys.readouterr().out


def test_the_report_proposes_arguments(tmp_path, capsys):
    curves = {str(number): [0.5] * (6 if number else 4) for number in range(20)}
    (tmp_path / "accuracies.json").write_text(json.dumps(curves))
    assert exit_status("audit", tmp_path / "accuracies.json") == 0
    printed = capsys.readouterr().out
    assert "`--visits 4` keeps every prompt." in printed
    assert "`--option missing=next`" in printed
