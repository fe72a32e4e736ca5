"""The examples of docs/api.md run, one after the other, on a small run."""

import re
import subprocess
import sys

import pytest
from a_run import write_run
from places import ROOT

BLOCKS = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/api.md").read_text(encoding="utf-8"), re.M | re.S)
MARK = "-- end of an example --"


def test_every_example_runs_and_prints_something(tmp_path):
    write_run(tmp_path)
    program = f"\nprint({MARK!r})\n".join(BLOCKS)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    printed = done.stdout.split(MARK)
    assert len(printed) == len(BLOCKS)
    assert all(text.strip() for text in printed)


@pytest.mark.parametrize("package", ["logs", "trajectories", "selection", "report", "grading", "errors"])
def test_every_part_of_the_public_library_has_an_example(package):
    assert any(f"limr.{package}" in block for block in BLOCKS)
