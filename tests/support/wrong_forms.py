r"""Wrong forms: wrong answers that look similar to a real gold.

They are made like the equal forms, without the grader. Where the small reader of ``golds.py`` can read both sides, the
values are compared as well. So a change that happens to keep the value (``1`` squared) is not a wrong form.
"""

import re
from collections.abc import Container, Iterator
from fractions import Fraction

import sympy
from golds import read, same
from kinds import (
    BASE,
    DEGREES,
    EQUATION,
    FRACTION,
    GROUPED,
    INTEGER,
    NUMBER,
    WITH_UNIT,
    WORD,
    Build,
    Form,
    decimal,
    frac,
    inside_brackets,
    joined,
    kind,
    matrix,
    matrix_rows,
    rational,
    solutions,
    summands,
)

WRONG: dict[str, Build] = {}

_OTHER_WORDS = ("Monday", "Evelyn", "odd", "hyperbola", "June")


def wrong_forms(gold: str, done: Container[str] = ()) -> Iterator[Form]:
    """Every wrong form of ``gold``, without the kinds that are ``done`` and without forms that have the same value."""
    value = read(gold)
    for name, build in WRONG.items():
        for answer in dict.fromkeys(build(gold) if name not in done else ()):
            # an unevaluated expression has the same value, and is wrong nevertheless
            other = read(answer) if name != "unevaluated expression" else None
            if answer != gold and (value is None or other is None or not same(value, other)):
                yield Form(name, gold, answer, False)


def _swapped(text: str, pattern: str, change: dict[str, str]) -> list[str]:
    """``text`` with the first match of ``pattern`` replaced by ``change``."""
    return [text[: m.start()] + change[m[0]] + text[m.end() :]] if (m := re.search(pattern, text)) else []


# --- numbers -------------------------------------------------------------------------------------------------------


@kind("off by one", WRONG)
def _off_by_one(gold: str) -> list[str]:
    if INTEGER.fullmatch(gold):
        return [str(int(gold) + 1), str(int(gold) - 1)]
    value = rational(gold)
    return [frac(value + 1), frac(value - 1)] if value is not None and value.denominator > 1 else []


@kind("sign of the whole changed", WRONG)
def _sign(gold: str) -> list[str]:
    if rational(gold) is not None or (read(gold) is not None and not summands(gold)):
        return [gold[1:].strip() if gold.startswith("-") else "-" + gold]
    return []


@kind("one digit changed", WRONG)
def _digit(gold: str) -> list[str]:
    places = [match.start() for match in re.finditer(r"\d", gold.split("_")[0])]
    return [
        gold[:place] + str((int(gold[place]) + step) % 9 + 1) + gold[place + 1 :]
        for place, step in ((places[0], 0), (places[-1], 3))
        if int(gold[place]) != (int(gold[place]) + step) % 9 + 1
    ] if places else []  # fmt: skip


@kind("two digits swapped", WRONG)
def _digits_exchanged(gold: str) -> list[str]:
    match = re.search(r"(\d)(?!\1)(\d)(?![^{}]*\}\{?\d*$)", gold) if "frac" not in gold else None
    return [gold[: match.start()] + match[2] + match[1] + gold[match.end() :]] if match and match[2] != "0" else []


@kind("digit added or lost", WRONG)
def _digit_count(gold: str) -> list[str]:
    return [gold + gold[-1], gold[:-1]] if re.fullmatch(r"-?[1-9]\d+", gold) else []


@kind("decimal point moved", WRONG)
def _point(gold: str) -> list[str]:
    if not NUMBER.fullmatch(gold):
        return []
    value = Fraction(gold)
    return [text for text in (decimal(value / 10), decimal(value * 10)) if text and value]


@kind("numerator and denominator swapped", WRONG)
def _inverted(gold: str) -> list[str]:
    match = FRACTION.fullmatch(gold)
    return [f"{match[1]}\\frac{{{match[3]}}}{{{match[2]}}}", f"{match[1]}{match[3]}/{match[2]}"] if match else []


@kind("numerator alone", WRONG)
def _numerator(gold: str) -> list[str]:
    match = FRACTION.fullmatch(gold)
    return [match[1] + match[2], match[3]] if match else []


@kind("rounded decimal", WRONG)
def _rounded(gold: str) -> list[str]:
    value = read(gold)
    if value is None or value.free_symbols or not value.is_real or decimal(rational(gold) or Fraction(1, 3)):
        return []
    return [f"{float(value):.{places}f}" for places in (2, 3)]


@kind("decimal wrong in its last place", WRONG)
def _last_place(gold: str) -> list[str]:
    if not NUMBER.fullmatch(gold) or len(gold) > 8:
        return []
    value = Fraction(gold)
    return [text for gap in (Fraction(1, 10**6), Fraction(1, 10**9)) if (text := decimal(value + gap, 12))]


@kind("squared, doubled or halved", WRONG)
def _scaled(gold: str) -> list[str]:
    value = read(gold)
    if value is None or len(gold) > 20:
        return []
    return [sympy.latex(other) for other in (value**2, 2 * value, value / 2)]


@kind("unevaluated expression", WRONG)
def _unevaluated(gold: str) -> list[str]:
    """A sum, product or quotient that has the value of a gold number but is not evaluated."""
    if not INTEGER.fullmatch(gold) or abs(int(gold)) < 4:
        return []
    value = int(gold)
    forms = [f"{value - 3}+3", f"{value + 5} - 5", f"{2 * value} \\div 2"]
    return forms + [f"{factor} \\cdot {value // factor}" for factor in (2, 3) if value % factor == 0]


@kind("calculation with a wrong step", WRONG)
def _wrong_step(gold: str) -> list[str]:
    if not INTEGER.fullmatch(gold):
        return []
    value = int(gold)
    return [
        f"{value - 3} + 4 = {gold}",
        f"{value - 3} + 3 = {value + 1} = {gold}",
        f"{gold} = {value - 3} + 3",
        f"{value - 3} + 4 = {value + 1}",
        f"2x = {gold}",
    ]


@kind("division turned around", WRONG)
def _turned(gold: str) -> list[str]:
    match = FRACTION.fullmatch(gold)
    return [f"{match[1]}{match[3]} \\div {match[2]}"] if match and match[2] != match[3] else []


@kind("other base", WRONG)
def _base(gold: str) -> list[str]:
    match = BASE.fullmatch(gold)
    if match is None or len(match[1].lstrip("-")) == 1:  # one digit is the same number in every base
        return []
    base = int(match[2] or match[3])
    largest = max(int(digit) for digit in match[1].lstrip("-"))
    return [f"{match[1]}_{{{other}}}" for other in (base + 1, base - 1, 10) if other > largest and other != base]


@kind("other unit", WRONG)
def _unit(gold: str) -> list[str]:
    match = WITH_UNIT.fullmatch(gold)
    if match is None or match[3].strip(" .") in ("and", "or") or "m." in match[3]:
        return []
    others = ("hours", "kilograms") if "hour" not in match[3] else ("minutes", "kilograms")
    return [f"{match[1].strip()}\\text{{ {other}}}" for other in others if other.rstrip("s") not in match[3]]


@kind("percent of another kind", WRONG)
def _percent(gold: str) -> list[str]:
    if match := re.fullmatch(r"([\d.]+)\s*\\%", gold):
        return [f"{decimal(Fraction(match[1]) / 100)}\\%", f"{decimal(Fraction(match[1]) * 100)}\\%"]
    return [f"{gold}\\%"] if FRACTION.fullmatch(gold) else []


@kind("degrees read as radians", WRONG)
def _radians(gold: str) -> list[str]:
    match = DEGREES.fullmatch(gold)
    return [f"{match[1]}\\pi", f"{match[1]}\\text{{ radians}}"] if match and float(match[1]) else []


@kind("group of a long number lost", WRONG)
def _group(gold: str) -> list[str]:
    if not GROUPED.fullmatch(gold):
        return []
    groups = re.findall(r"\d+", gold)
    return [groups[0], ",".join([*groups[:-1], groups[-1][:-1] + str((int(groups[-1][-1]) + 1) % 10)])]


# --- algebra -------------------------------------------------------------------------------------------------------


@kind("exponent changed", WRONG)
def _exponent(gold: str) -> list[str]:
    match = re.search(r"\^\{?(\d+)\}?", gold)
    return [gold[: match.start()] + f"^{{{int(match[1]) + 1}}}" + gold[match.end() :]] if match else []


@kind("radicand changed", WRONG)
def _radicand(gold: str) -> list[str]:
    match = re.search(r"\\sqrt\{(\d+)\}", gold)
    return [gold[: match.start()] + f"\\sqrt{{{int(match[1]) + 1}}}" + gold[match.end() :]] if match else []


@kind("root dropped", WRONG)
def _root(gold: str) -> list[str]:
    return [re.sub(r"\\sqrt\{(\d+)\}", r"(\1)", gold)] if re.search(r"\\sqrt\{\d+\}", gold) else []


@kind("pi dropped", WRONG)
def _pi(gold: str) -> list[str]:
    match = re.fullmatch(r"(-?\d+)\s*\\pi", gold)
    if match:
        return [match[1], f"{match[1]}\\pi^2"]
    return [gold.replace("\\pi", "")] if re.fullmatch(r"-?\\[dt]?frac\{\d+\s*\\pi\}\{\d+\}", gold) else []


@kind("variable renamed", WRONG)
def _variable(gold: str) -> list[str]:
    value = read(gold)
    if value is None or not value.free_symbols:
        return []
    letter = sorted(str(symbol) for symbol in value.free_symbols)[0]
    return [re.sub(rf"(?<![\\a-zA-Z]){letter}(?![a-zA-Z])", "w", gold)] if letter != "w" else []


@kind("sign inside a sum changed", WRONG)
def _inner_sign(gold: str) -> list[str]:
    terms = summands(gold)
    if not terms:
        return []
    last = terms[-1]
    turned = "+" + last[1:] if last.startswith("-") else "-" + last.removeprefix("+")
    return [joined([*terms[:-1], turned])]


@kind("term of a sum lost", WRONG)
def _term(gold: str) -> list[str]:
    terms = summands(gold)
    return [joined(terms[:-1]), joined(terms[1:])] if terms else []


@kind("imaginary unit dropped", WRONG)
def _imaginary(gold: str) -> list[str]:
    value = read(gold)
    return (
        [re.sub(r"(?<=\d)\s*i", "", gold)]
        if value is not None and value.has(sympy.I) and re.search(r"\d\s*i", gold)
        else []
    )


@kind("relation reversed", WRONG)
def _relation(gold: str) -> list[str]:
    return _swapped(gold, r"\\leq?(?![a-z])|\\geq?(?![a-z])|<|>", {
        "\\le": "\\ge", "\\leq": "\\geq", "\\ge": "\\le", "\\geq": "\\leq", "<": ">", ">": "<",
    })  # fmt: skip


@kind("side of an equation changed", WRONG)
def _equation(gold: str) -> list[str]:
    match = EQUATION.fullmatch(gold) if re.search("[a-z]", gold) else None
    return (
        [f"{match[1].strip()} = {match[2].strip()} + 1", f"{match[1].strip()} + 2 = {match[2].strip()}"]
        if match
        else []
    )


# --- collections ---------------------------------------------------------------------------------------------------


@kind("solution missing", WRONG)
def _missing(gold: str) -> list[str]:
    entries = solutions(gold)
    return [", ".join(entries[:-1]), ", ".join(entries[1:])] if entries else []


@kind("solution added", WRONG)
def _added(gold: str) -> list[str]:
    entries = solutions(gold)
    if entries:
        return [f"{gold}, 1009", f"\\{{{', '.join(entries)}, 1009\\}}"]
    return [f"{gold}, 1009", f"{gold} \\text{{ or }} 1009"] if INTEGER.fullmatch(gold) else []


@kind("one solution changed", WRONG)
def _changed(gold: str) -> list[str]:
    entries = solutions(gold)
    return [", ".join([*entries[:-1], "1009"])] if entries else []


@kind("solutions joined to a product or a number", WRONG)
def _together(gold: str) -> list[str]:
    entries = solutions(gold)
    return ["".join(entries)] if entries and all(re.fullmatch(r"[1-9]\d*", entry) for entry in entries) else []


@kind("tuple in another order", WRONG)
def _tuple_order(gold: str) -> list[str]:
    parts = inside_brackets(gold)
    if parts is None or parts[1] == parts[1][::-1]:
        return []
    return [f"{parts[0]}{','.join(parts[1][::-1])}{parts[2]}"]


@kind("entry of a tuple changed, lost or added", WRONG)
def _tuple_entry(gold: str) -> list[str]:
    parts = inside_brackets(gold)
    if parts is None:
        return []
    opening, entries, closing = parts
    others = ([*entries[:-1], "1009"], [*entries, "0"], *([entries[:-1]] if len(entries) > 2 else []))
    return [f"{opening}{', '.join(other)}{closing}" for other in others]


@kind("bracket of an interval changed", WRONG)
def _bracket(gold: str) -> list[str]:
    """Where the gold can only be an interval: its two brackets differ, or are square, or infinity is an end."""
    parts = inside_brackets(gold)
    if parts is None or len(parts[1]) != 2 or (parts[0] + parts[2] == "()" and "infty" not in gold):
        return []
    opening, (low, high), closing = parts
    if "infty" in low and "infty" in high:
        return []
    finite_low = "infty" not in low
    other = {"(": "[", "[": "(", ")": "]", "]": ")"}
    return [f"{other[opening]}{low},{high}{closing}" if finite_low else f"{opening}{low},{high}{other[closing]}"]


@kind("end of an interval changed", WRONG)
def _end(gold: str) -> list[str]:
    return [gold.replace("-\\infty", "0", 1), gold.replace("-\\infty", "\\infty", 1)] if "-\\infty" in gold else []


@kind("union replaced by an intersection or by half of it", WRONG)
def _union(gold: str) -> list[str]:
    if "\\cup" not in gold:
        return []
    return [gold.replace("\\cup", sign) for sign in ("\\cap", "V", "UU")] + [gold.split("\\cup")[0].strip()]


@kind("matrix transposed or with an entry changed", WRONG)
def _matrix(gold: str) -> list[str]:
    rows = matrix_rows(gold)
    if rows is None or len({len(row) for row in rows}) != 1:
        return []
    turned = [list(column) for column in zip(*rows, strict=True)]
    changed = [*rows[:-1], [*rows[-1][:-1], "1009"]]
    return [matrix(other) for other in (turned, changed) if other != rows]


# --- words and longer texts ----------------------------------------------------------------------------------------


@kind("other word", WRONG)
def _word(gold: str) -> list[str]:
    match = WORD.fullmatch(gold)
    return [f"\\text{{{word}}}" for word in _OTHER_WORDS if word != match[1]] if match else []


@kind("other letter of a choice", WRONG)
def _choice(gold: str) -> list[str]:
    match = re.fullmatch(r"\\text\{\(?([A-F])\)?\}", gold)
    other = match and chr((ord(match[1]) - ord("A") + 1) % 6 + ord("A"))
    return [f"\\text{{({other})}}", other, f"\\text{{{match[1]}{other}}}"] if match else []


@kind("gold inside a longer text", WRONG)
def _longer(gold: str) -> list[str]:
    if len(gold) > 40:
        return []
    if not re.search(r"[\d}]$", gold) or "\\text" in gold:
        return [f"\\text{{not }} {gold}"]
    return [f"{gold} \\text{{ or }} 1009", f"\\text{{not }} {gold}", f"\\text{{one of }} {gold}, 1009, 1013"]


@kind("answer cut short", WRONG)
def _cut(gold: str) -> list[str]:
    match = re.match(r"(-?\d+)\s*(?=\\sqrt|\\pi|[a-zA-Z(+])", gold)
    return [match[1]] if match else []


@kind("empty", WRONG)
def _empty(gold: str) -> list[str]:
    return ["", " ", "\\text{}", "?", "\\ldots"]
