"""A small part of the campaign against the command line; `python tests/campaign/commands.py` runs the whole."""

from pathlib import Path

from campaign.commands import campaign


def test_no_random_command_breaks_an_invariant(tmp_path: Path) -> None:
    broken = [
        f"--seed 0 --only {case.number}: {case}: {kind}: {details}"
        for case, _, found in campaign(0, range(25), tmp_path)
        for kind, details in found
    ]
    assert broken == []
