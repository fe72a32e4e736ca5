"""The documentation names files that exist."""

import re

import pytest
from places import ROOT

PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        *ROOT.glob("docs/*.md"),
    ]
)
MADE_BY_A_READER = {"limr/selection/methods/gain.py", "slurm/site.yaml", "limr/logs/....log.lock"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_in_code_style_exists(page):
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:limr|tests|config|envs|slurm|rules|workflow|docs)/[\w./-]+)`", text))
    assert [path for path in sorted(named - MADE_BY_A_READER) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_linked_file_exists(page):
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []
