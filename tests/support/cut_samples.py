"""Cuts the samples of real data in tests/samples from the whole reference data (tests/samples/README.md).

    python tests/support/cut_samples.py [FOLDER]

The trajectories, the golds and the released scores are complete, in a compact form. Of MATH, of its released list and
of the benchmarks a few hundred problems are kept: the special cases that tests check, and a share of the others.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from places import REFERENCE, SAMPLES

from limr.data.overlap import NEAR, ngrams
from limr.data.sources import ERRATA
from limr.prompts import prompt_id

Row = dict[str, Any]

HARD = {"Level 3", "Level 4", "Level 5", "Level ?"}
EVERY = {"listed": 60, "easy": 80, "math500": 25}  # name of a list -> one problem in this number is kept
SMALL_BENCHMARK = 3  # problems of AIME and of AMC


def cut(folder: Path) -> None:
    """Write all samples to ``folder``."""
    for path, text in samples().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def samples() -> dict[str, str]:
    """Each sample's path and text."""
    released = _json("limr/math.8k.json")
    benchmarks = {name: _json_lines(f"benchmarks/{name}.jsonl") for name in ("math500", "aime24", "amc23")}
    golds = {"math.8k": released, **benchmarks}
    texts = {
        "one_shot_rlvr.txt": "".join(_trajectories()),
        "golds.json": json.dumps({name: [row["answer"] for row in rows] for name, rows in golds.items()}, indent=0),
        "released_scores.txt": "".join(_scores()),
    }
    math = {part: _json_lines(f"math/{part}.jsonl") for part in ("train", "test")}
    kept = _kept_problems(math["train"] + math["test"], released, benchmarks["math500"])
    for part, rows in math.items():
        texts[f"math/{part}.jsonl"] = _as_json_lines(row for row in rows if prompt_id(row["problem"]) in kept)
    texts["limr/math.8k.json"] = json.dumps(
        [{"prompt": row["prompt"], "answer": row["answer"]} for row in released if prompt_id(row["prompt"]) in kept],
        indent=0,
    )
    for name, rows in benchmarks.items():
        few = [row for row in rows if prompt_id(row["question"]) in kept] or rows[:SMALL_BENCHMARK]
        texts[f"benchmarks/{name}.jsonl"] = _as_json_lines(few)
    return texts


def _trajectories() -> Iterator[str]:
    """A line a prompt: its index, and a digit a visit, which counts the correct samples of 8."""
    for index, accuracies in _json("one_shot_rlvr/acc_step_500.json").items():
        yield f"{index} {''.join(str(int(8 * accuracy)) for accuracy in accuracies)}\n"


def _scores() -> Iterator[str]:
    """A line a row: prompt_id, score, and ``LIMR`` where the prompt is in the released subset."""
    subset = {row["prompt"] for row in _json("limr/limr_train.json")}
    for row in _json("limr/scores.json"):
        yield f"{prompt_id(row['prompt'])} {row['score']}{' LIMR' if row['prompt'] in subset else ''}\n"


def _kept_problems(math: list[Row], released: list[Row], math500: list[Row]) -> set[str]:
    """The ids of the problems of MATH that are kept, with the proportions that tests check on the whole data."""
    rows = {prompt_id(row["problem"]): row for row in math}
    listed = {prompt_id(row["prompt"]): row for row in released}
    tests = {prompt_id(row["question"]): row for row in math500}
    hard = {name for name, row in rows.items() if row["level"] in HARD}
    kept = {name for name in listed if _is_special(name, rows[name], listed[name])}
    kept |= {name for name, count in Counter(prompt_id(row["problem"]) for row in math).items() if count > 1}
    near = _near_pair(listed, tests)
    chosen_tests = {near[1], *sorted(tests)[:: EVERY["math500"]]}
    kept |= {near[0], *chosen_tests}
    kept |= set(sorted(listed)[:: EVERY["listed"]])
    kept |= set(sorted(set(rows) - hard - set(tests))[:: EVERY["easy"]])
    # the hard problems that the list leaves out are as many of each subject and level as MATH-500 has
    left_out = sorted(hard - set(listed) - set(tests))
    for test in sorted(chosen_tests & hard):
        kind = _kind(rows[test])
        kept.add(next(name for name in left_out if name not in kept and _kind(rows[name]) == kind))
    return kept


def _is_special(name: str, row: Row, listed: Row) -> bool:
    answers_differ = " ".join(row["answer"].split()) != " ".join(listed["answer"].split())
    return name in ERRATA or not row["answer"].strip() or row["level"] == "Level ?" or answers_differ


def _near_pair(listed: dict[str, Row], tests: dict[str, Row]) -> tuple[str, str]:
    """A problem of the list and one of MATH-500 that are nearly the same."""
    grams = {name: ngrams(row["question"]) for name, row in sorted(tests.items())}
    for name, row in sorted(listed.items()):
        mine = ngrams(row["prompt"])
        for test, theirs in grams.items():
            if len(mine & theirs) >= NEAR * len(mine | theirs):
                return name, test
    raise ValueError("the list and MATH-500 have no near problems")


def _kind(row: Row) -> tuple[str, str]:
    return row["subject"], row["level"]


def _json(path: str) -> Any:
    return json.loads((REFERENCE / path).read_text(encoding="utf-8"))


def _json_lines(path: str) -> list[Row]:
    return [json.loads(line) for line in (REFERENCE / path).read_text(encoding="utf-8").splitlines()]


def _as_json_lines(rows: Iterable[Row]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


if __name__ == "__main__":
    cut(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES)
