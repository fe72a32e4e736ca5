"""What the tests of the grader share: the reference data, or the reason why it cannot be had."""

import pytest
from golds import ABSENT, FOLDER, all_golds


@pytest.fixture(scope="session")
def golds() -> list[str]:
    """All 9,093 golds, in the order of the files."""
    if not FOLDER.exists():
        pytest.skip(ABSENT)
    return all_golds()
