"""Where the tests find the repository, and the reference data that may lie beside it."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
SUPPORT = Path(__file__).parent
REFERENCE = ROOT.parent / "shared" / "data"
