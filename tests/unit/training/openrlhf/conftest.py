"""The real OpenRLHF's parsers, for all tests of command lines."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from limr.training.openrlhf import VERSION
from limr.training.openrlhf.parser import installed, unpack


@pytest.fixture(scope="session")
def package(request: pytest.FixtureRequest) -> Path:
    """The release's files: from the installed package, or from its wheel, which is downloaded once."""
    if installed():
        return installed()
    folder = request.config.cache.mkdir(f"openrlhf-{VERSION}")
    wheels = list(folder.glob("*.whl"))
    if not wheels:
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
        done = subprocess.run([*download, f"openrlhf=={VERSION}"], capture_output=True, text=True, check=False)
        wheels = list(folder.glob("*.whl"))
        if not wheels:
            pytest.skip(f"needs the wheel of openrlhf {VERSION}: {done.stderr.strip().splitlines()[-1:]}")
    try:
        return unpack(wheels[0], folder / "package")
    except zipfile.BadZipFile:
        wheels[0].unlink()
        pytest.skip("the download of the wheel is incomplete")
