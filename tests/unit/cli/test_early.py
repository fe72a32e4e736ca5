"""`limr early`: the table, the figure, and the rows as CSV."""

import csv
import io

from a_run import EPOCHS
from commands import exit_status


def test_each_number_of_visits_is_compared_with_all_visits(rollouts, tmp_path, capsys):
    figure = tmp_path / "early.png"
    arguments = ["early", rollouts, "--resamples", "5", "--top", "0.2", "--theta", "0.6"]
    assert exit_status(*arguments, "--figure", figure) == 0
    assert capsys.readouterr().out.startswith("# How early could the probe have stopped?")
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert exit_status(*arguments, "--csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["visits"] for row in rows] == [str(visit) for visit in range(1, EPOCHS + 1)]
    assert float(rows[-1]["overlap"]) == 1
