"""The sources of real problems: pinned repositories on the Hugging Face hub, and digests of their rows.

The revision pins the download. The digest identifies the expected rows, from the hub or from a local file. It is
computed from the rows (``limr.data.source_rows.digest``), so it does not depend on the file's format, the order of the
rows, or white space.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_MATH_SUBJECTS = (
    "algebra",
    "counting_and_probability",
    "geometry",
    "intermediate_algebra",
    "number_theory",
    "prealgebra",
    "precalculus",
)


@dataclass(frozen=True)
class Source:
    """One set of problems."""

    title: str
    repository: str
    revision: str
    files: tuple[str, ...]  # in the repository; Parquet or JSON Lines
    local: str  # path of the same problems as one file, in the folder that ``data.files`` names
    rows: int
    digest: str  # SHA-256 over its rows
    levels: bool = False  # level and subject are known; the digest includes them, as they decide the selection
    integers: bool = False  # answers are whole numbers, which copies write as 27, 27.0 or 027


@dataclass(frozen=True)
class Erratum:
    """A gold answer that is wrong in a copy of the data set: the right answer, and why it is right."""

    answer: str
    why: str


def _math(split: str, rows: int, digest: str) -> Source:
    return Source(
        title=f"MATH {split}",
        repository="EleutherAI/hendrycks_math",
        revision="21a5633873b6a120296cce3e2df9d5550074f4a3",
        files=tuple(f"{subject}/{split}-00000-of-00001.parquet" for subject in _MATH_SUBJECTS),
        local=f"math/{split}.jsonl",
        rows=rows,
        digest=digest,
        levels=True,
    )


SOURCES: dict[str, Source] = {
    "math_train": _math("train", 7500, "62bd3ab6c21400eec9a6c85a74dfc5e99532dc9761188a049ff2700ff2e1644b"),
    "math_test": _math("test", 5000, "21c6a87bdb7e73802c05024c5436b7cee409e6832e3dd9b3904d127ef982d057"),
    "math500": Source(
        title="MATH-500",
        repository="HuggingFaceH4/MATH-500",
        revision="6e4ed1a2a79af7d8630a6b768ec859cb5af4d3be",
        files=("test.jsonl",),
        local="benchmarks/math500.jsonl",
        rows=500,
        digest="db657b4eb43f0ece2bce44a32e34b2d895de9d7b98587db1741f8a2880b847df",
    ),
    "aime24": Source(
        title="AIME 2024",
        repository="math-ai/aime24",
        revision="83a7f387baaa524a8bda0022eac0541582297103",
        files=("test-00000-of-00001.parquet",),
        local="benchmarks/aime24.jsonl",
        rows=30,
        digest="21ddf65aa384e4b2444c3cdc0241f2d298baab36f7e2691e7c923e95a7cf5a56",
        integers=True,
    ),
    "amc23": Source(
        title="AMC 2023",
        repository="math-ai/amc23",
        revision="80815d37005feb82cd7f8fbc6901d5d3eff43057",
        files=("test-00000-of-00001.parquet",),
        local="benchmarks/amc23.jsonl",
        rows=40,
        digest="3c8fe7344289768661b05a366a4f43c0bb2c30483f1cb957a6b006551a0b7de7",
        integers=True,
    ),
}
MATH = ("math_train", "math_test")
BENCHMARKS = tuple(name for name in SOURCES if name not in MATH)

ERRATA: dict[str, Erratum] = {
    # MATH test/prealgebra/177: a problem about boxed numbers
    "fc8776473827d7a1": Erratum(
        answer="6",
        why="a problem about boxed numbers: its solution says that 6 is the answer, without a box to avoid confusion; "
        "the last box holds 12, and some copies took the words after `boxed`",
    ),
}


def local_file(name: str, files: str | Mapping[str, str] | None) -> str | None:
    """The local file of source ``name``, if ``files`` of the configuration (a folder, or one file per source) names it.

    >>> local_file("aime24", "../data"), local_file("aime24", {"amc23": "amc.jsonl"})
    ('../data/benchmarks/aime24.jsonl', None)
    """
    if isinstance(files, str):
        return str(Path(files) / SOURCES[name].local)
    return (files or {}).get(name)
