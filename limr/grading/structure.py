r"""The structure of an answer: lists, sets, tuples and intervals, unions, matrices, relations; and how two compare.

Both answers are taken apart side by side, down to single expressions, which ``leaf`` compares. It may answer None,
"cannot tell", and then so may the whole (Kleene's three-valued logic): with a leaf that knows numerals and words only,
most pairs are decided without computer algebra.

Texts are in normal form, and the guard has seen how deep their brackets go: so deep the recursion may go.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from limr.grading.numbers import numeral
from limr.grading.units import split_unit

Leaf = Callable[[str, str], bool | None]

_TOKEN = re.compile(r"\\(?:begin|end)\{[A-Za-z]+\*?\}|\\text\{[^{}]*\}|\\[A-Za-z]+|\\[\s\S]|[\s\S]")
_OPENERS = {"(", "[", "{", "\\{", "\\langle", "\\begin"}
_CLOSERS = {")", "]", "}", "\\}", "\\rangle", "\\end"}
_FLIPPED = {">": "<", "\\ge": "\\le"}
_RELATIONS = {"=", "<", ">", "\\le", "\\ge", "\\ne", "\\in", "\\approx", "\\equiv"}
_THOUSANDS = re.compile(r"[-+]?(?:\\\$)?[-+]?([1-9]\d{0,2})((?:,\d{3})+)(?:\.\d+)?")
_COMMA_OF_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_SET_BUILDER = re.compile(r"([a-z])(?:\\in\\mathbb\{R\})?[|:](.+)")


@dataclass(frozen=True)
class Node:
    r"""One level of an answer.

    ``kind`` is list, set, tuple, union, matrix, relation, ratio or leaf; ``mark`` tells two of a kind apart: the
    brackets of a tuple, the shape of a matrix, the signs of a relation.
    """

    kind: str
    parts: tuple[str, ...]
    mark: tuple[str, ...] = ()


def read(text: str) -> Node:
    r"""Take one level of ``text`` apart.

    >>> read(r"(0,1]\cup\{3\}").parts
    ('(0,1]', '\\{3\\}')
    >>> read("[0,1)")
    Node(kind='tuple', parts=('0', '1'), mark=('[', ')'))
    """
    tokens = _TOKEN.findall(text)
    separated = _split(tokens, {",", ";"})
    if len(separated) > 1:
        if is_thousands(text):
            return Node("leaf", (text,))
        return Node("list", tuple(both for part in separated for both in _both_signs(part)))
    relation = _relation(tokens)
    if relation:
        return relation
    union = _split(tokens, {"\\cup"})
    if len(union) > 1:
        return Node("union", tuple(union))
    ratio = _split(tokens, {":"})
    if len(ratio) > 1:
        return Node("ratio", tuple(ratio))
    enclosed = _enclosed(tokens)
    if enclosed:
        return enclosed
    if "\\pm" in text or "\\mp" in text:
        return Node("list", _both_signs(text))
    return Node("leaf", (text,))


def is_thousands(text: str) -> bool:
    """Whether a bare ``a,bcd`` is one number, not two solutions.

    Both occur as gold answers: 22,500 is a number, 70,110 two solutions. Two groups are read as solutions when they
    ascend and the second is less than twice the first: solutions of one problem are of a size, groups of digits need
    not be. This reads all nine such golds of the 12,500 MATH problems as their problems mean them.
    """
    match = _THOUSANDS.fullmatch(split_unit(text)[0])
    if match is None:
        return False
    first, groups = int(match[1]), match[2].split(",")[1:]
    is_two_solutions = len(groups) == 1 and "$" not in text and "." not in text and first < int(groups[0]) < 2 * first
    return not is_two_solutions


def compare(gold: str, answer: str, leaf: Leaf) -> bool | None:
    """Whether two answers in normal form are equal; None where ``leaf`` could not tell and it matters."""
    if gold == answer:
        return bool(gold)
    one = read(gold)
    other = _read_like(one, answer)
    if "relation" in (one.kind, other.kind):
        return _compare_relations(gold, answer, one, other, leaf)
    if one.kind == "ratio" or other.kind == "ratio":
        return _compare_ratios(one, other, leaf)
    if _is_collection(one) or _is_collection(other):
        return _compare_collections(gold, answer, one, other, leaf)
    if one.kind == other.kind == "union":
        return _unordered(one.parts, other.parts, leaf)
    if one.kind == other.kind and one.kind in ("tuple", "matrix"):
        return one.mark == other.mark and _ordered(one.parts, other.parts, leaf)
    if one.kind == other.kind == "leaf" or _names_a_set(gold) or _names_a_set(answer):
        return leaf(one.parts[0], other.parts[0]) if one.kind == other.kind == "leaf" else leaf(gold, answer)
    return False


def _read_like(gold: Node, answer: str) -> Node:
    """``read``, but that a comma in an answer ``a,bcd`` separates what it does in the gold: solutions or digits."""
    if gold.kind in ("leaf", "relation", "ratio"):
        return read(_COMMA_OF_THOUSANDS.sub("", answer))
    if gold.kind == "list" and _THOUSANDS.fullmatch(answer):
        return Node("list", tuple(answer.split(",")))
    return read(answer)


def _is_collection(node: Node) -> bool:
    return node.kind in ("list", "set")


def _names_a_set(text: str) -> bool:
    return "\\mathbb" in text or "\\setminus" in text or "\\cap" in text


def _compare_collections(gold: str, answer: str, one: Node, other: Node, leaf: Leaf) -> bool | None:
    """Several solutions, with or without the braces of a set: in any order, but for words, which may be a ranking."""
    if one.kind == "union" or other.kind == "union":  # x<1 or x>3
        gold, answer = (_as_union(gold, one), _as_union(answer, other))
        return compare(gold, answer, leaf) if gold and answer else False
    golds = one.parts if _is_collection(one) else (gold,)
    answers = other.parts if _is_collection(other) else (answer,)
    is_one = len(golds) == len(answers) == 1
    if is_one and (golds[0], answers[0]) == (gold, answer):
        return leaf(gold, answer)
    if len(golds) > 1 and all(part.startswith("\\text{") for part in golds):
        return _ordered(golds, answers, leaf)
    return _unordered(golds, answers, leaf)


def _as_union(text: str, node: Node) -> str | None:
    if not _is_collection(node):
        return text
    intervals = [_interval(read(part)) for part in node.parts]
    return "\\cup".join(intervals) if all(intervals) else None


def _ordered(golds: Iterable[str], answers: Iterable[str], leaf: Leaf) -> bool | None:
    golds, answers = list(golds), list(answers)
    if len(golds) != len(answers):
        return False
    verdict: bool | None = True
    for gold, answer in zip(golds, answers, strict=True):
        equal = compare(gold, answer, leaf)
        if equal is False:
            return False
        verdict = verdict if equal else None
    return verdict


def _unordered(golds: Iterable[str], answers: Iterable[str], leaf: Leaf) -> bool | None:
    """Whether each gold has an answer of its own. Equality is transitive enough for the first match to be as good."""
    golds, answers = list(golds), list(answers)
    if len(golds) != len(answers):
        return False
    left = dict(enumerate(answers))
    open_golds: list[dict[int, bool | None]] = []  # of each gold without an answer, how it compared with the others
    for gold in golds:
        verdicts: dict[int, bool | None] = {}
        for position, answer in left.items():
            verdicts[position] = compare(gold, answer, leaf)  # once a pair: twice would double at each level of sets
            if verdicts[position]:
                del left[position]
                break
        else:
            open_golds.append(verdicts)
    if not open_golds:
        return True
    hopeless = any(all(verdicts[position] is False for position in left) for verdicts in open_golds)
    return False if hopeless else None


def _compare_ratios(one: Node, other: Node, leaf: Leaf) -> bool | None:
    """1:2 is 2:4 and 1/2; of times, 5:00 is 05:00."""
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
        value = _answered_value(other)
        if value is not None:
            return compare(gold, value, leaf)
        if set(other.mark) == {"="}:  # 6/36 = 1/6: each part has to be the gold
            return _all(compare(gold, part, leaf) for part in other.parts)
        interval = _interval(other)
        return compare(gold, interval, leaf) if interval and one.kind in ("tuple", "union") else False
    if other.kind != "relation":
        value = _named_value(one)
        if value is not None:
            return compare(value, answer, leaf)
        if set(one.mark) <= {"=", "\\approx"}:  # 0.56 = 56\%: the gold says it twice
            parts = [part for part in one.parts if part]
            return _any(compare(part, answer, leaf) for part in parts) if _are_values(parts) else False
        interval = _interval(one)
        return compare(interval, answer, leaf) if interval and other.kind in ("tuple", "union") else False
    return _compare_two_relations(gold, answer, one, other, leaf)


def _compare_two_relations(gold: str, answer: str, one: Node, other: Node, leaf: Leaf) -> bool | None:
    said, answered = _subject_and_value(one), _subject_and_value(other)
    if said and answered and said[0] == answered[0]:
        return compare(said[1], answered[1], leaf)
    if one.mark != other.mark:
        return False
    orders = [other.parts, other.parts[::-1]] if set(one.mark) == {"="} else [other.parts]
    same = _any(_ordered(one.parts, parts, leaf) for parts in orders)
    return leaf(gold, answer) if same is not True and one.mark == ("=",) else same


def _relation(tokens: list[str]) -> Node | None:
    parts, signs = [""], []
    depth = 0
    for token in tokens:
        depth += _step(token)
        if depth == 0 and token in _RELATIONS:
            if token == "=" and signs and not parts[-1] and signs[-1] in "<>":  # <=
                signs[-1] = {"<": "\\le", ">": "\\ge"}[signs[-1]]
                continue
            signs.append(token)
            parts.append("")
        else:
            parts[-1] += token
    if not signs:
        return None
    parts = [part.strip() for part in parts]
    if all(sign in _FLIPPED for sign in signs):  # always the smaller side first
        parts, signs = parts[::-1], [_FLIPPED[sign] for sign in signs[::-1]]
    return Node("relation", tuple(parts), tuple(signs))


def _is_name(text: str) -> bool:
    r"""Whether one side of an equation only names what the other side is: letters and no number to work out.

    ``x``, ``f(2)``, ``AB``, ``x_{1}``, ``\angle ABC``, ``(x,y)``, ``a+b``; not ``2x``, ``3+8``, ``x^{2}``, ``-x``, and
    not the ``x!`` of ``x!=5``.
    """
    if text.startswith("-") or text.endswith("!"):
        return False
    text = re.sub(r"_\{[^{}]*\}|(?<=[A-Za-z])\([^()]*\)", "", text)
    return any(letter.isalpha() for letter in text) and not any(digit.isdigit() for digit in text)


def _named_value(node: Node) -> str | None:
    """What a name is set equal to, at the end of the chain; None where no name stands first, or numbers contradict.

    A numeral may stand first, and the name second.
    """
    if node.mark == ("=",) and _is_name(node.parts[1]) and numeral(node.parts[0]) is not None:
        return node.parts[0]
    if not set(node.mark) <= {"=", "\\in"} or not _is_name(node.parts[0]):
        return None
    numbers = {numeral(part) for part in node.parts[1:]} - {None}
    return node.parts[-1] if len(numbers) <= 1 else None


def _answered_value(node: Node) -> str | None:
    """The value an answer gives: of a name, or before it is rounded."""
    if "\\approx" in node.mark:
        cut = node.mark.index("\\approx")
        exact = Node("relation", node.parts[: cut + 1], node.mark[:cut])
        if cut == 0:
            return node.parts[1] if not node.parts[0] or _is_name(node.parts[0]) else node.parts[0]
        return _named_value(exact)
    return _named_value(node)


def _are_values(parts: list[str]) -> bool:
    return all(numeral(split_unit(part)[0]) is not None for part in parts)


def _subject_and_value(node: Node) -> tuple[str, str] | None:
    """What a relation is about, and its value or the interval it lies in."""
    value = _answered_value(node)
    if value is not None:
        return node.parts[0], value
    interval = _interval(node)
    return (next(part for part in node.parts if _is_name(part)), interval) if interval else None


def _interval(node: Node) -> str | None:
    r"""The interval that an inequality of one variable between numbers says: ``-2<x\le 7`` is ``(-2,7]``."""
    if node.kind == "relation" and node.mark == ("\\ne",) and _is_name(node.parts[0]):
        return f"(-\\infty,{node.parts[1]})\\cup({node.parts[1]},\\infty)"
    if node.kind != "relation" or not set(node.mark) <= {"<", "\\le"} or len(node.parts) > 3:
        return None
    names = [_is_name(part) and "\\infty" not in part for part in node.parts]
    if names.count(True) != 1 or (len(names) == 3 and not names[1]):
        return None
    if any(
        re.search(r"(?<![\\A-Za-z])[A-Za-z]", part) for part, name in zip(node.parts, names, strict=True) if not name
    ):
        return None
    position = names.index(True)
    left = node.parts[0] if position == 1 else "-\\infty"
    right = node.parts[-1] if position < len(names) - 1 else "\\infty"
    opening = "[" if position == 1 and node.mark[0] == "\\le" else "("
    closing = "]" if position < len(names) - 1 and node.mark[-1] == "\\le" else ")"
    return f"{opening}{left},{right}{closing}"


# --- reading


def _step(token: str) -> int:
    token = token[: token.find("{")] if token.startswith(("\\begin", "\\end")) else token
    return (token in _OPENERS) - (token in _CLOSERS)


def _split(tokens: list[str], separators: set[str]) -> list[str]:
    parts, depth = [[]], 0
    for token in tokens:
        depth += _step(token)
        if depth == 0 and token in separators:
            parts.append([])
        else:
            parts[-1].append(token)
    return ["".join(part).strip() for part in parts]


def _enclosed(tokens: list[str]) -> Node | None:
    """What stands wholly in one pair of brackets."""
    if len(tokens) < 2 or _step(tokens[0]) != 1:
        return None
    depth = 0
    for position, token in enumerate(tokens):
        depth += _step(token)
        if depth == 0 and position < len(tokens) - 1:
            return None
    opening, closing, inner = tokens[0], tokens[-1], tokens[1:-1]
    if depth != 0:
        return None
    if opening.startswith("\\begin"):
        return _matrix(opening, closing, inner)
    if (opening, closing) == ("\\{", "\\}"):
        builder = _SET_BUILDER.fullmatch("".join(inner))
        if builder:  # {x | x > 1}
            return read(builder[2])
        return Node("set", tuple(sign for part in _split(inner, {",", ";"}) for sign in _both_signs(part)))
    if opening not in ("(", "[", "\\langle"):
        return None
    parts = _split(inner, {",", ";"})
    if len(parts) > 1:
        marks = {"\\langle": "(", "\\rangle": ")"}
        return Node("tuple", tuple(parts), (marks.get(opening, opening), marks.get(closing, closing)))
    return read("".join(inner).strip()) if (opening, closing) == ("(", ")") else None


def _matrix(opening: str, closing: str, inner: list[str]) -> Node | None:
    kind = opening[len("\\begin") :]
    if closing != f"\\end{kind}":
        return None
    rows = [_split(_TOKEN.findall(row), {"&"}) for row in _split(inner, {"\\\\"}) if row]
    shape = (kind, *(str(len(row)) for row in rows))
    return Node("matrix", tuple(entry for row in rows for entry in row), shape)


def _both_signs(text: str) -> tuple[str, ...]:
    if "\\pm" not in text and "\\mp" not in text:
        return (text,)
    signs = [text.replace("\\pm", plus).replace("\\mp", minus) for plus, minus in (("+", "-"), ("-", "+"))]
    return tuple(sign.replace("+ ", "+").replace("- ", "-").removeprefix("+") for sign in signs)


# --- three-valued logic


def _all(verdicts: Iterable[bool | None]) -> bool | None:
    verdict: bool | None = True
    for each in verdicts:
        if each is False:
            return False
        verdict = verdict if each else None
    return verdict


def _any(verdicts: Iterable[bool | None]) -> bool | None:
    verdict: bool | None = False
    for each in verdicts:
        verdict = _or(verdict, each)
    return verdict


def _or(one: bool | None, other: bool | None) -> bool | None:
    if one or other:
        return True
    return None if one is None or other is None else False
