r"""The structure of an answer (list, set, tuple, interval, union, matrix, relation, ratio), read level by level.

Texts are in normal form. The guard has limited the nesting of their brackets, and so the depth of the recursion.
"""

import re
from dataclasses import dataclass

from limr.grading.units import split_unit

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

    ``kind`` is list, set, tuple, union, matrix, relation, ratio or leaf. ``mark`` distinguishes nodes of one kind: the
    brackets of a tuple, the shape of a matrix, the signs of a relation.
    """

    kind: str
    parts: tuple[str, ...]
    mark: tuple[str, ...] = ()

    @property
    def is_collection(self) -> bool:
        """Whether this is several solutions, with or without the braces of a set."""
        return self.kind in ("list", "set")


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
    if len(union) == 1 and "U" in tokens:  # (1,2)U(3,4): a letter between intervals or sets, not a variable
        union = _split(tokens, {"U"})
        union = union if all(map(_is_interval_or_set, union)) else [text]
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


def read_like(gold: Node, answer: str) -> Node:
    """``read`` the answer, with a comma in ``a,bcd`` read as in the gold: between solutions, or between digits."""
    if gold.kind in ("leaf", "relation", "ratio"):
        return read(_COMMA_OF_THOUSANDS.sub("", answer))
    if gold.kind == "list" and _THOUSANDS.fullmatch(answer):
        return Node("list", tuple(answer.split(",")))
    return read(answer)


def is_thousands(text: str) -> bool:
    """Whether a bare ``a,bcd`` is one number and not two solutions.

    Both occur as gold answers: 22,500 is a number, 70,110 two solutions. Two groups are read as solutions when they
    ascend and the second is less than twice the first: the solutions of one problem are of similar size, groups of
    digits need not be. This rule reads all nine such golds of the 12,500 MATH problems as their problems intend.
    """
    match = _THOUSANDS.fullmatch(split_unit(text)[0])
    if match is None:
        return False
    first, groups = int(match[1]), match[2].split(",")[1:]
    is_two_solutions = len(groups) == 1 and "$" not in text and "." not in text and first < int(groups[0]) < 2 * first
    return not is_two_solutions


def _nesting(token: str) -> int:
    """By how much a token changes the depth of brackets: 1, -1 or 0."""
    token = token[: token.find("{")] if token.startswith(("\\begin", "\\end")) else token
    return (token in _OPENERS) - (token in _CLOSERS)


def _split(tokens: list[str], separators: set[str]) -> list[str]:
    """The texts between the separators that are in no brackets."""
    parts, depth = [[]], 0
    for token in tokens:
        depth += _nesting(token)
        if depth == 0 and token in separators:
            parts.append([])
        else:
            parts[-1].append(token)
    return ["".join(part).strip() for part in parts]


def _relation(tokens: list[str]) -> Node | None:
    """An equation or an inequality, or a chain of them; ``>`` is turned around, so that the smaller side is first."""
    parts, signs = [""], []
    depth = 0
    for token in tokens:
        depth += _nesting(token)
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
    if all(sign in _FLIPPED for sign in signs):
        parts, signs = parts[::-1], [_FLIPPED[sign] for sign in signs[::-1]]
    return Node("relation", tuple(parts), tuple(signs))


def _is_interval_or_set(text: str) -> bool:
    node = _enclosed(_TOKEN.findall(text))
    return node is not None and (node.kind == "set" or (node.kind == "tuple" and len(node.parts) == 2))


def _enclosed(tokens: list[str]) -> Node | None:
    """The content of one pair of brackets around all tokens; None if the first bracket closes before the end."""
    if len(tokens) < 2 or _nesting(tokens[0]) != 1:
        return None
    depth = 0
    for position, token in enumerate(tokens):
        depth += _nesting(token)
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
    r"""The two texts that ``1\pm2`` means; any other text alone."""
    if "\\pm" not in text and "\\mp" not in text:
        return (text,)
    signs = [text.replace("\\pm", plus).replace("\\mp", minus) for plus, minus in (("+", "-"), ("-", "+"))]
    return tuple(sign.replace("+ ", "+").replace("- ", "-").removeprefix("+") for sign in signs)
