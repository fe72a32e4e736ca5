"""The pool of training problems, manipulated: shares out of reach and solved from the start, and broken gold answers.

The section ``data.pool`` of a configuration asks for it, to study which pools a selection method is good for.
Benchmarks and the development set stay as they are.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import repeat

from limr.training.miniature.problems import LEVELS, SUBJECTS, Problem, draw, unseen

Kind = tuple[str, int]  # subject and level

KINDS: tuple[Kind, ...] = tuple((subject, level) for subject in SUBJECTS for level in LEVELS)

BEYOND: frozenset[Kind] = frozenset((subject, level) for subject in ("Counting", "Geometry") for level in (4, 5))
"""Problems that the model cannot learn to solve: products of large numbers."""

EASY: frozenset[Kind] = frozenset((subject, level) for subject, level in KINDS if level == 1 or subject == "Prealgebra")
"""Problems that the base model mostly solves before training: level 1, and prealgebra, which has no common mistake."""


def draw_pool(number: int, beyond: float | None, easy: float | None, seed: int, avoid: set[str]) -> Iterator[Problem]:
    """Draw ``number`` problems, of which the shares ``beyond`` and ``easy`` are of these kinds, in random order.

    The other problems are of the remaining kinds, each equally often. A share of None leaves its kinds among the
    remaining ones. No prompt is in ``avoid``; the caller adds those that it keeps to it.

    Raises LimrError when there are not enough problems.
    """
    shares = {"beyond": (beyond, BEYOND), "easy": (easy, EASY)}
    groups = {name: kinds for name, (share, kinds) in shares.items() if share is not None}
    groups["other"] = frozenset(KINDS).difference(*groups.values())
    labels: list[str] = []
    for name, (share, _) in shares.items():
        labels += [name] * min(round((share or 0.0) * number), number - len(labels))
    labels += ["other"] * (number - len(labels))
    random.Random(f"pool {seed}").shuffle(labels)
    # a generator of random numbers for each group: another share changes how many of its problems are drawn, not which
    streams = {name: _problems(kinds, random.Random(f"pool {seed} {name}"), avoid) for name, kinds in groups.items()}
    for label in labels:
        yield next(streams[label])


def _problems(kinds: frozenset[Kind], rng: random.Random, avoid: set[str]) -> Iterator[Problem]:
    ordered = sorted(kinds)
    endless = (draw(*rng.choice(ordered), rng) for _ in repeat(None))
    return unseen(endless, avoid, f"the kinds {', '.join(f'{subject} {level}' for subject, level in ordered)}")


def break_golds(problems: Sequence[Problem], share: float, seed: int) -> tuple[list[Problem], Mapping[str, str]]:
    """Replace the answers of a random ``share`` of ``problems`` by wrong numbers that nobody answers.

    The wrong numbers have eight digits; the right ones have six at most. A larger share breaks the same answers and
    further ones. Returns the problems, and the right answer of each prompt whose answer was replaced.
    """
    rng = random.Random(f"broken golds {seed}")
    order = list(range(len(problems)))
    rng.shuffle(order)
    found = list(problems)
    for index in order[: round(share * len(problems))]:
        found[index] = replace(found[index], answer=str(rng.randint(10_000_000, 99_999_999)))
    return found, {right.prompt: right.answer for right, kept in zip(problems, found, strict=True) if kept is not right}
