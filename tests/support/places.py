"""Paths for the tests: the repository, its samples, and the complete reference data, if it is beside the repository."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUPPORT = Path(__file__).parent
SAMPLES = ROOT / "tests" / "samples"
REFERENCE = ROOT.parent / "shared" / "data"

WITHOUT_REFERENCE = (
    f"needs the whole reference data in {REFERENCE}; tests/samples/README.md lists its files and where to get them"
)
needs_reference = pytest.mark.skipif(not REFERENCE.is_dir(), reason=WITHOUT_REFERENCE)
