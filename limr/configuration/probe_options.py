"""Which curves a method scores: the section ``probe`` of a method row, and the files and the seed that follow from it.

The probe is FULL's training run. Its rollouts give each prompt a curve of one value per visit, and the place of a
prompt in the shuffle decides at which step each visit comes. With ``measure: checkpoints``, all prompts are sampled
from each saved checkpoint of the probe instead: one visit per checkpoint, at the same step for every prompt.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from limr.settings import Count, Settings

CHECKPOINTS = "checkpoints"


class ProbeSection(Settings):
    """The part of the probe that a method scores. Without this section: every visit of the same seed's probe."""

    visits: Count = Field(default=None, description="number of visits to score, from the first; by default all")
    samples: Count = Field(
        default=None, description="number of samples of each visit to score, from the first; by default all"
    )
    seed: Literal["next"] = Field(
        default=None,
        description="next: the probe of the next of the `seeds` (of the first, for the last one), so that one seed's "
        "probe selects for the training of another; by default the probe of the same seed",
    )
    measure: Literal["checkpoints"] = Field(
        default=None,
        description="checkpoints: all prompts are sampled from each checkpoint of the probe, which counts as a visit; "
        "by default the visits are those of training",
    )


def probe_seed(row: Mapping[str, Any], seed: int, seeds: Sequence[int]) -> int:
    """The seed of the probe whose curves the method ``row`` scores for the training run of ``seed``.

    >>> probe_seed({"probe": {"seed": "next"}}, 4, [0, 2, 4]), probe_seed({}, 4, [0, 2, 4])
    (0, 4)
    """
    if (row.get("probe") or {}).get("seed") != "next":
        return seed
    return seeds[(list(seeds).index(seed) + 1) % len(seeds)]


def is_measured(row: Mapping[str, Any]) -> bool:
    """Whether the method ``row`` scores rollouts that were sampled from the checkpoints of the probe."""
    return (row.get("probe") or {}).get("measure") == CHECKPOINTS


def trajectories_folder(row: Mapping[str, Any]) -> str:
    """The folder, in the results, with the trajectories of all visits that the method ``row`` scores some or all of.

    >>> trajectories_folder({}), trajectories_folder({"probe": {"visits": 5, "samples": 4}})
    ('trajectories', 'trajectories/samples4')
    >>> trajectories_folder({"probe": {"measure": "checkpoints"}})
    'trajectories/probe_checkpoints'
    """
    samples = (row.get("probe") or {}).get("samples")
    parts = ["probe_checkpoints"] * is_measured(row) + [f"samples{samples}"] * (samples is not None)
    return "/".join(["trajectories", *(["_".join(parts)] if parts else [])])
