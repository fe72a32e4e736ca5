"""docs/own_run.md shows the output of the commands on the real One-Shot-RLVR trajectories."""

import re
import shlex
import shutil

import pytest
from places import ROOT

from limr.cli.main import main

BLOCKS = re.findall(r"^```console\n(.*?)^```", (ROOT / "docs/own_run.md").read_text(encoding="utf-8"), re.M | re.S)
SHOWN = [block for block in BLOCKS if any(not line.startswith("$ ") for line in block.splitlines())]


def test_the_page_shows_output_to_check():
    assert len(SHOWN) >= 5


@pytest.mark.parametrize("block", SHOWN)
def test_every_line_that_the_page_shows_is_printed(block, one_shot_rlvr, tmp_path, monkeypatch, capsys):
    shutil.copy(one_shot_rlvr, tmp_path)
    monkeypatch.chdir(tmp_path)
    for line in block.splitlines():
        if line.startswith("$ limr "):
            # fewer resamples: the page does not show the bootstrap intervals, which take long
            more = ["--resamples", "1"] if line.startswith("$ limr early") else []
            assert main([*shlex.split(line)[2:], *more]) == 0
            printed = capsys.readouterr()
            lines = [*printed.out.splitlines(), *printed.err.splitlines()]
        else:
            assert line in lines
