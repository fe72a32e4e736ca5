r"""Compares two answers part by part, down to single expressions, which ``leaf`` compares.

``leaf`` may return None ("undecided"). Then the whole comparison may return None too (Kleene's three-valued logic).
Most pairs need no computer algebra: a leaf that compares only numerals and words decides them.
"""

from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import chain

from limr.grading.numbers import numeral
from limr.grading.relations import answered_value, are_values, interval, named_value, subject_and_value
from limr.grading.structure import Node, read, read_like

Leaf = Callable[[str, str], bool | None]


def compare(gold: str, answer: str, leaf: Leaf) -> bool | None:
    """Whether two answers in normal form are equal; None if it depends on a part that ``leaf`` left undecided."""
    if gold == answer:
        return bool(gold)
    one = read(gold)
    other = read_like(one, answer)
    if "relation" in (one.kind, other.kind):
        return _compare_relations(gold, answer, one, other, leaf)
    if one.kind == "ratio" or other.kind == "ratio":
        return _compare_ratios(one, other, leaf)
    if one.is_collection or other.is_collection:
        return _compare_collections(gold, answer, one, other, leaf)
    if one.kind == other.kind == "union":
        return _unordered(one.parts, other.parts, leaf)
    if one.kind == other.kind and one.kind in ("tuple", "matrix"):
        return one.mark == other.mark and _ordered(one.parts, other.parts, leaf)
    if one.kind == other.kind == "leaf" or _names_a_set(gold) or _names_a_set(answer):
        return leaf(one.parts[0], other.parts[0]) if one.kind == other.kind == "leaf" else leaf(gold, answer)
    return False


def _names_a_set(text: str) -> bool:
    return "\\mathbb" in text or "\\setminus" in text or "\\cap" in text


# --- collections


def _compare_collections(gold: str, answer: str, one: Node, other: Node, leaf: Leaf) -> bool | None:
    """Several solutions, with or without the braces of a set: in any order, except words, which may be a ranking."""
    if one.kind == "union" or other.kind == "union":  # x<1 or x>3
        gold, answer = (_as_union(gold, one), _as_union(answer, other))
        return compare(gold, answer, leaf) if gold and answer else False
    golds = one.parts if one.is_collection else (gold,)
    answers = other.parts if other.is_collection else (answer,)
    is_one = len(golds) == len(answers) == 1
    if is_one and (golds[0], answers[0]) == (gold, answer):
        return leaf(gold, answer)
    if len(golds) > 1 and all(part.startswith("\\text{") for part in golds):
        return _ordered(golds, answers, leaf)
    return _unordered(golds, answers, leaf)


def _as_union(text: str, node: Node) -> str | None:
    """The union of the intervals that several inequalities describe; None if one of them describes none."""
    if not node.is_collection:
        return text
    intervals = [interval(read(part)) for part in node.parts]
    return "\\cup".join(intervals) if all(intervals) else None


def _ordered(golds: Iterable[str], answers: Iterable[str], leaf: Leaf) -> bool | None:
    """Whether each gold equals the answer at the same position."""
    golds, answers = list(golds), list(answers)
    if len(golds) != len(answers):
        return False
    return _all(compare(gold, answer, leaf) for gold, answer in zip(golds, answers, strict=True))


def _unordered(golds: Iterable[str], answers: Iterable[str], leaf: Leaf) -> bool | None:
    """Whether golds and answers match one to one. Equality is nearly transitive, so each gold takes its first match."""
    golds, answers = list(golds), list(answers)
    if len(golds) != len(answers):
        return False
    remaining = dict(enumerate(answers))
    unmatched: list[dict[int, bool | None]] = []  # for each gold without an answer: its verdict on every answer tried
    for gold in golds:
        verdicts: dict[int, bool | None] = {}
        for position, answer in remaining.items():
            verdicts[position] = compare(gold, answer, leaf)  # once: twice would double the time at each level
            if verdicts[position]:
                del remaining[position]
                break
        else:
            unmatched.append(verdicts)
    if not unmatched:
        return True
    # a gold that differs from all answers that remain settles it; otherwise an undecided pair may still match
    settled = any(all(verdicts[position] is False for position in remaining) for verdicts in unmatched)
    return False if settled else None


def _compare_ratios(one: Node, other: Node, leaf: Leaf) -> bool | None:
    """The ratio 1:2 equals 2:4 and 1/2. The time 5:00 equals 05:00."""
    values = [_ratio_value(node) for node in (one, other)]
    if None not in values:
        return values[0] == values[1]
    return one.kind == other.kind and _ordered(one.parts, other.parts, leaf)


def _ratio_value(node: Node) -> Fraction | None:
    numbers = [numeral(part) for part in node.parts]
    if node.kind == "leaf":
        return numbers[0]
    if node.kind != "ratio" or len(numbers) != 2 or None in numbers or numbers[1] == 0:
        return None
    return numbers[0] / numbers[1]


# --- relations


def _compare_relations(gold: str, answer: str, one: Node, other: Node, leaf: Leaf) -> bool | None:
    if one.kind != "relation":
        value = answered_value(other)
        if value is not None:
            return compare(gold, value, leaf)
        if set(other.mark) == {"="}:
            return _compare_chain(gold, other.parts, leaf)
        within = interval(other)
        return compare(gold, within, leaf) if within and one.kind in ("tuple", "union") else False
    if other.kind != "relation":
        value = named_value(one)
        if value is not None:
            return compare(value, answer, leaf)
        if set(one.mark) <= {"=", "\\approx"}:  # 0.56 = 56\%: the gold gives its value in two notations
            parts = [part for part in one.parts if part]
            return _any(compare(part, answer, leaf) for part in parts) if are_values(parts) else False
        within = interval(one)
        return compare(within, answer, leaf) if within and other.kind in ("tuple", "union") else False
    return _compare_two_relations(gold, answer, one, other, leaf)


def _compare_chain(gold: str, members: tuple[str, ...], leaf: Leaf) -> bool | None:
    r"""An answer like ``\sqrt{4}=2``: its last member has to equal the gold, and every other member the last one.

    Only the last member has to be calculated. ``compare`` calculates the value of its first text, so both orders count.
    """
    if any("=" in member for member in members):  # chains inside brackets: each pair of their members would be compared
        return False
    *others, last = members
    steps = (_any(compare(*pair, leaf) for pair in ((each, last), (last, each))) for each in others)
    return _all(chain([compare(gold, last, leaf)], steps))


def _compare_two_relations(gold: str, answer: str, one: Node, other: Node, leaf: Leaf) -> bool | None:
    wanted, given = subject_and_value(one), subject_and_value(other)
    if wanted and given and wanted[0] == given[0]:
        return compare(wanted[1], given[1], leaf)
    if one.mark != other.mark:
        return False
    orders = [other.parts, other.parts[::-1]] if set(one.mark) == {"="} else [other.parts]
    same = _any(_ordered(one.parts, parts, leaf) for parts in orders)
    return leaf(gold, answer) if same is not True and one.mark == ("=",) else same


# --- three-valued logic


def _all(verdicts: Iterable[bool | None]) -> bool | None:
    verdict: bool | None = True
    for each in verdicts:
        if each is False:  # the other parts are not compared
            return False
        verdict = verdict if each else None
    return verdict


def _any(verdicts: Iterable[bool | None]) -> bool | None:
    known = list(verdicts)
    if any(known):
        return True
    return None if None in known else False
