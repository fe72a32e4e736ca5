"""The input and output of Table 2, for the tests of its parts."""

from pathlib import Path
from typing import Any

import pytest
from table2_run import write_inputs


@pytest.fixture
def run(tmp_path: Path) -> dict[str, Any]:
    """The input files of a table."""
    return write_inputs(tmp_path)


@pytest.fixture
def outputs(tmp_path: Path) -> dict[str, Path]:
    """Where the table is written."""
    return {kind: tmp_path / f"table2.{kind}" for kind in ("markdown", "csv", "json")}
