r"""Equal forms: right answers that a model may write instead of a real gold.

Each kind is a function from a gold to answers; it returns no answer where the kind does not fit the gold. The answers
are made by rewriting the gold's text, by ``Fraction``, or by sympy for a gold that the small reader of ``golds.py``
can read. None of them uses the grader. Good graders disagree on the kinds in ``OPEN``: these are only reported.
"""

import re
from collections.abc import Container, Iterator
from fractions import Fraction

import sympy
from golds import read
from kinds import (
    BASE,
    CHOICE,
    DEGREES,
    EQUATION,
    FRACTION,
    GROUPED,
    INTEGER,
    NAMED,
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
    simple,
    solutions,
    summands,
)

EQUAL: dict[str, Build] = {}
OPEN: dict[str, Build] = {}


def equal_forms(gold: str, done: Container[str] = ()) -> Iterator[Form]:
    """Every form of ``gold``, first the equal ones, then the open ones, without the kinds that are ``done``."""
    for kinds, equal in ((EQUAL, True), (OPEN, None)):
        for name, build in kinds.items():
            for answer in dict.fromkeys(build(gold) if name not in done else ()):
                if answer != gold:
                    yield Form(name, gold, answer, equal)


# --- typography ----------------------------------------------------------------------------------------------------


@kind("dfrac, tfrac", EQUAL)
def _display_fractions(gold: str) -> list[str]:
    plain = re.sub(r"\\[dt]frac", r"\\frac", gold)
    return [plain.replace("\\frac", other) for other in ("\\dfrac", "\\tfrac", "\\frac")] if "\\frac" in plain else []


@kind("fraction without braces", EQUAL)
def _bare_fraction(gold: str) -> list[str]:
    match = FRACTION.fullmatch(gold)
    return [f"{match[1]}\\frac{match[2]}{match[3]}"] if match and len(match[2]) == len(match[3]) == 1 else []


@kind("fraction with a slash", EQUAL)
def _slash(gold: str) -> list[str]:
    match = FRACTION.fullmatch(gold)
    return [f"{match[1]}{match[2]}/{match[3]}", f"{match[1]}{{{match[2]}}}/{{{match[3]}}}"] if match else []


@kind("fraction with a division sign", EQUAL)
def _division_sign(gold: str) -> list[str]:
    match = FRACTION.fullmatch(gold)
    if match is None or int(match[2]) % int(match[3]) == 0:
        return []
    return [f"{match[1]}{match[2]} {sign} {match[3]}" for sign in ("\N{DIVISION SIGN}", "\\div")]


@kind("calculation before the answer", EQUAL)
def _calculation(gold: str) -> list[str]:
    value = rational(gold)
    if value is None or not INTEGER.fullmatch(gold):
        return []
    forms = [f"{value - 3} + 3 = {gold}", f"{2 * value - 2} \\div 2 + 1 = {value - 1} + 1 = {gold}"]
    return [*forms, f"\\sqrt{{{value**2}}} = {gold}"] if 0 < value < 1000 else forms


@kind("left and right brackets", EQUAL)
def _left_right(gold: str) -> list[str]:
    if "\\left" in gold:
        return [gold.replace("\\left", "").replace("\\right", "")]
    return [re.sub(r"[)\]]", r"\\right\g<0>", re.sub(r"[(\[]", r"\\left\g<0>", gold))] if inside_brackets(gold) else []


@kind("big brackets", EQUAL)
def _big(gold: str) -> list[str]:
    parts = inside_brackets(gold)
    return [f"\\big{parts[0]} {', '.join(parts[1])} \\big{parts[2]}"] if parts else []


@kind("full stop at the end", EQUAL)
def _full_stop(gold: str) -> list[str]:
    return [gold + "."] if not gold.endswith((".", ",")) else []


@kind("dollar signs and math delimiters", EQUAL)
def _delimiters(gold: str) -> list[str]:
    return [f"${gold}$", f"\\({gold}\\)", f"$ {gold} $"] if "$" not in gold else []


@kind("spaces", EQUAL)
def _spaces(gold: str) -> list[str]:
    if re.search(r"\\text|\\mbox|\\ ", gold):
        return [f"  {gold} \n"]
    spaced = re.sub(r"\s*(?<![\\{])([,+=])(?!\s*[\\}]|\d{3}(?!\d))\s*", r" \1 ", gold)
    return [spaced, f"\\ {gold}\\,", f"\\;{gold}~", re.sub(r"(?<=[^a-zA-Z]) +| +(?=[^a-zA-Z])", "", gold)]


@kind("style commands and braces", EQUAL)
def _styles(gold: str) -> list[str]:
    return [f"\\displaystyle {gold}", f"{{{gold}}}", f"\\mathbf{{{gold}}}"] if simple(gold) else []


@kind("number in text", EQUAL)
def _number_in_text(gold: str) -> list[str]:
    return [f"\\text{{{gold}}}", f"\\mathrm{{{gold}}}"] if NUMBER.fullmatch(gold) else []


@kind("dot or cross for a product", EQUAL)
def _explicit_product(gold: str) -> list[str]:
    if read(gold) is None:
        return []
    between = re.compile(r"(?<=[\d}])\s*(?=\\(?:sqrt|pi))")
    if re.search(r"\^\{?\d|[_/\]]", gold):  # the braces may be an argument's, not a factor's
        return []
    return [between.sub(lambda _, sign=sign: f" {sign} ", gold) for sign in ("\\cdot", "\\times")]


@kind("unicode signs", EQUAL)
def _unicode(gold: str) -> list[str]:
    if "\\text" in gold:
        return []
    changed = gold.replace("-", "\N{MINUS SIGN}")
    changed = re.sub(r"\\pi(?![a-z])\s*", "π", changed).replace("\\infty", "∞").replace("\\cup", "\N{UNION}")
    changed = re.sub(r"\\sqrt\{(\d)\}|\\sqrt\s*(\d)", r"√\1\2", changed)
    return [changed]


@kind("braces of a power or root", EQUAL)
def _power_braces(gold: str) -> list[str]:
    braced = re.sub(r"\\sqrt\s*(\d)", r"\\sqrt{\1}", re.sub(r"\^(\w)", r"^{\1}", gold))
    return [braced, re.sub(r"(\^|\\sqrt)\{(\d)\}", r"\1\2", gold)]


# --- numbers -------------------------------------------------------------------------------------------------------


@kind("fraction as an exact decimal", EQUAL)
def _exact_decimal(gold: str) -> list[str]:
    value = rational(gold)
    text = decimal(value) if value is not None and "." not in gold and value.denominator > 1 else None
    return [text, text + "0"] if text else []


@kind("decimal as a fraction", EQUAL)
def _decimal_as_fraction(gold: str) -> list[str]:
    return [frac(Fraction(gold)), frac(Fraction(gold), "dfrac")] if re.fullmatch(r"-?\d*\.\d+", gold) else []


@kind("zeros before and after a decimal", EQUAL)
def _decimal_zeros(gold: str) -> list[str]:
    if re.fullmatch(r"-?\d*\.\d+", gold):
        bare = gold.rstrip("0").rstrip(".")
        return [gold + "0", bare, bare.replace("0.", ".", 1) if bare.lstrip("-").startswith("0.") else bare]
    return [gold + ".0", gold + ".00"] if INTEGER.fullmatch(gold) else []


@kind("mixed number", EQUAL)
def _mixed(gold: str) -> list[str]:
    value = rational(gold)
    if value is None or "." in gold or value.denominator == 1 or abs(value) < 1:
        return []
    whole, rest = divmod(abs(value.numerator), value.denominator)
    sign = "-" if value < 0 else ""
    return [f"{sign}{whole}\\frac{{{rest}}}{{{value.denominator}}}", frac(value)]


@kind("fraction not in lowest terms", EQUAL)
def _unreduced(gold: str) -> list[str]:
    match = FRACTION.fullmatch(gold)
    return [f"{match[1]}\\frac{{{int(match[2]) * 3}}}{{{int(match[3]) * 3}}}"] if match else []


@kind("minus inside the fraction", EQUAL)
def _minus_inside(gold: str) -> list[str]:
    match = FRACTION.fullmatch(gold)
    if match is None or not match[1]:
        return []
    return [f"\\frac{{-{match[2]}}}{{{match[3]}}}", f"\\frac{{{match[2]}}}{{-{match[3]}}}"]


@kind("thousands separators", EQUAL)
def _thousands(gold: str) -> list[str]:
    digits = re.sub(r"[^\d-]", "", gold) if GROUPED.fullmatch(gold) else gold
    if not re.fullmatch(r"-?\d{4,}", digits):
        return []
    return [digits, *(f"{int(digits):,}".replace(",", mark) for mark in (",", "{,}", ",\\!", "\\,", "\\ "))]


@kind("scientific notation", EQUAL)
def _scientific(gold: str) -> list[str]:
    match = re.fullmatch(r"(-?)([1-9])(\d?)(0{3,})", gold.replace(",\\!", ""))
    if match is None:
        return []
    sign, first, second, zeros = match.groups()
    mantissa = f"{sign}{first}" + (f".{second}" if second.strip("0") else "")
    exponent = len(second + zeros)
    return [f"{mantissa} \\times 10^{{{exponent}}}", f"{mantissa} \\cdot 10^{exponent}"] if exponent < 10 else []


@kind("percent sign", EQUAL)
def _percent(gold: str) -> list[str]:
    match = re.fullmatch(r"([\d.]+)\s*\\%", gold)
    return [f"{match[1]}%", f"{match[1]} \\%", f"{match[1]}\\text{{ percent}}"] if match else []


@kind("money", EQUAL)
def _money(gold: str) -> list[str]:
    match = re.fullmatch(r"\\\$\s*(\d+(?:\.\d\d)?)", gold)
    return [match[1], f"{match[1]}\\text{{ dollars}}", f"\\${match[1]}", f"${match[1]}"] if match else []


@kind("degrees", EQUAL)
def _degrees(gold: str) -> list[str]:
    match = DEGREES.fullmatch(gold)
    return (
        [match[1] + sign for sign in ("^{\\circ}", "°", "\\text{ degrees}", "\\degree", "^\\circ", "")] if match else []
    )


@kind("base with braces", EQUAL)
def _base(gold: str) -> list[str]:
    match = BASE.fullmatch(gold)
    base = match and (match[2] or match[3])
    return [f"{match[1]}_{{{base}}}", f"{match[1]} _ {base}" if len(base) == 1 else gold] if match else []


@kind("unit left out or in another notation", EQUAL)
def _unit(gold: str) -> list[str]:
    match = WITH_UNIT.fullmatch(gold)
    if match is None or match[3].strip(" .") in ("and", "or") or "m." in match[3] or "approx" in gold:
        return []
    value, unit = match[1].strip(), match[3].strip(" .")
    return [value, f"{value}\\ \\mathrm{{{unit}}}", f"{value} \\text{{ {unit}}}", f"{value}~\\textrm{{{unit}}}"]


@kind("unit added", EQUAL)
def _unit_added(gold: str) -> list[str]:
    return [f"{gold}\\text{{ cm}}", f"{gold} \\text{{ units}}"] if INTEGER.fullmatch(gold) else []


# --- algebra -------------------------------------------------------------------------------------------------------


@kind("sum in another order", EQUAL)
def _sum_order(gold: str) -> list[str]:
    terms = summands(gold)
    return [joined(terms[::-1]), joined(terms[1:] + terms[:1])] if terms else []


@kind("factors in another order", EQUAL)
def _factor_order(gold: str) -> list[str]:
    if match := re.fullmatch(r"(-?)(\d+)\s*(\\sqrt\{\d+\}|\\pi)", gold):
        return [f"{match[1]}{match[3]} \\cdot {match[2]}", f"{match[1]}{match[3]} \\times {match[2]}"]
    match = re.fullmatch(r"(-?\d*)\s*(\([^()]+\))\s*(\([^()]+\))", gold)
    return [f"{match[1]}{match[3]}{match[2]}"] if match and read(gold) is not None else []


@kind("expanded or factored", EQUAL)
def _expanded(gold: str) -> list[str]:
    value = read(gold)
    if value is None or not value.free_symbols or len(gold) > 40:
        return []
    return [sympy.latex(form) for form in (sympy.expand(value), sympy.factor(value)) if form != value]


@kind("root in the denominator", EQUAL)
def _unrationalised(gold: str) -> list[str]:
    match = re.fullmatch(r"(-?)\\[dt]?frac\{(\d*)\\sqrt\{(\d+)\}\}\{(\d+)\}", gold)
    if match is None:
        return []
    value = Fraction(int(match[2] or 1) * int(match[3]), int(match[4]))
    below = f"{value.denominator if value.denominator > 1 else ''}\\sqrt{{{match[3]}}}"
    return [f"{match[1]}\\frac{{{value.numerator}}}{{{below}}}"]


@kind("factor in front of a fraction or root", EQUAL)
def _factor_outside(gold: str) -> list[str]:
    if match := re.fullmatch(r"(-?)\\[dt]?frac\{(\d*)\s*(\\pi|\\sqrt\{\d+\})\}\{(\d+)\}", gold):
        return [f"{match[1]}\\frac{{{match[2] or 1}}}{{{match[4]}}}{match[3]}"]
    match = re.fullmatch(r"(-?)(\d+)\s*\\sqrt\{(\d+)\}", gold)
    return [f"{match[1]}\\sqrt{{{int(match[2]) ** 2 * int(match[3])}}}"] if match else []


@kind("root as a power", EQUAL)
def _root_as_power(gold: str) -> list[str]:
    match = re.fullmatch(r"(-?\d*)\s*\\sqrt\{(\d+)\}", gold)
    product = f"{match[1]} \\cdot " if match and match[1].strip("-") else (match[1] if match else "")
    return [f"{product}{match[2]}^{{1/2}}", f"{product}{match[2]}^{{\\frac{{1}}{{2}}}}"] if match else []


@kind("equation with its sides swapped", EQUAL)
def _sides(gold: str) -> list[str]:
    match = EQUATION.fullmatch(gold)
    return [f"{match[2].strip()} = {match[1].strip()}"] if match and re.search(r"[xyz]", gold) else []


@kind("name of the unknown", EQUAL)
def _named(gold: str) -> list[str]:
    if match := NAMED.fullmatch(gold):
        return [match[2].strip(), f"{match[1]}={match[2].strip()}"]
    return [f"x={gold}", f"x = {gold}"] if rational(gold) is not None else []


# --- collections ---------------------------------------------------------------------------------------------------


@kind("solutions in another order", EQUAL)
def _solution_order(gold: str) -> list[str]:
    entries = solutions(gold)
    return [", ".join(entries[::-1]), ",".join(entries[1:] + entries[:1])] if entries else []


@kind("solutions joined in another way", EQUAL)
def _solution_joints(gold: str) -> list[str]:
    entries = solutions(gold)
    if not entries:
        return []
    words = ", ".join(entries[:-1]) + " \\text{ and } " + entries[-1]
    return [words, words.replace(" and ", " or "), f"\\{{{', '.join(entries)}\\}}", "; ".join(entries)]


@kind("solutions each with the name of the unknown", EQUAL)
def _solution_names(gold: str) -> list[str]:
    entries = solutions(gold)
    if not entries or any(rational(entry) is None for entry in entries):
        return []
    return [", ".join(f"x={entry}" for entry in entries), " \\text{ or } ".join(f"x = {entry}" for entry in entries)]


@kind("union in another order or sign", EQUAL)
def _union(gold: str) -> list[str]:
    parts = [part.strip() for part in gold.split("\\cup")]
    return ["\\cup".join(parts[::-1]), " \N{UNION} ".join(parts), " \\bigcup ".join(parts)] if len(parts) > 1 else []


@kind("letter U for a union", EQUAL)
def _union_letter(gold: str) -> list[str]:
    return [re.sub(r"\s*\\cup\s*", sign, gold) for sign in (" U ", "U")] if "\\cup" in gold else []


@kind("sign of infinity", EQUAL)
def _infinity(gold: str) -> list[str]:
    return [re.sub(r"(?<![-+])\\infty", r"+\\infty", gold), gold.replace("\\infty", "∞")] if "\\infty" in gold else []


@kind("entries of a tuple or interval in other forms", EQUAL)
def _tuple_entries(gold: str) -> list[str]:
    parts = inside_brackets(gold)
    if parts is None:
        return []
    opening, entries, closing = parts
    rewritten = [_other_number(entry) for entry in entries]
    return [f"{opening}{', '.join(rewritten)}{closing}"] if rewritten != entries else []


@kind("matrix style and entries", EQUAL)
def _matrix(gold: str) -> list[str]:
    rows = matrix_rows(gold)
    if rows is None:
        return []
    other = [[_other_number(entry) for entry in row] for row in rows]
    return [matrix(rows, "bmatrix"), matrix(rows), matrix(other), matrix(rows) + "\n", matrix(rows).replace(" ", "")]


def _other_number(entry: str) -> str:
    slash = re.fullmatch(r"(-?)(\d+)/(\d+)", entry)
    if slash:
        return f"{slash[1]}\\frac{{{slash[2]}}}{{{slash[3]}}}"
    value = rational(entry)
    return (decimal(value) or f"{value.numerator}/{value.denominator}") if value is not None else entry


# --- words ---------------------------------------------------------------------------------------------------------


@kind("word in another font", EQUAL)
def _word(gold: str) -> list[str]:
    match = WORD.fullmatch(gold)
    return [match[1], f"\\textbf{{{match[1]}}}", f"\\mathrm{{{match[1]}}}", f"\\text{{{match[1]} }}"] if match else []


@kind("letter of a choice", EQUAL)
def _choice(gold: str) -> list[str]:
    match = CHOICE.fullmatch(gold)
    letter = match and match[1]
    return (
        [letter, f"({letter})", f"\\text{{{letter}}}", f"\\textbf{{({letter})}}", f"\\mathrm{{{letter}}}"]
        if match
        else []
    )


@kind("letters listed in another order or spacing", EQUAL)
def _letters(gold: str) -> list[str]:
    match = re.fullmatch(r"\\text\{([A-Z](?:,\s*[A-Z])+)\}", gold)
    letters = re.split(r",\s*", match[1]) if match else []
    return [f"\\text{{{', '.join(letters)}}}", ",".join(letters), ", ".join(letters[::-1])] if match else []


# --- open: good graders disagree -----------------------------------------------------------------------------------


@kind("word in another case", OPEN)
def _case(gold: str) -> list[str]:
    return [gold.replace(match[1], match[1].swapcase())] if (match := WORD.fullmatch(gold)) else []


@kind("percent as a bare number", OPEN)
def _percent_bare(gold: str) -> list[str]:
    return [gold.replace("\\%", "").strip()] if re.fullmatch(r"[\d.]+\s*\\%", gold) else []


@kind("percent as its value", OPEN)
def _percent_value(gold: str) -> list[str]:
    match = re.fullmatch(r"([\d.]+)\s*\\%", gold)
    return [decimal(Fraction(match[1]) / 100) or ""] if match else []


@kind("base left out", OPEN)
def _base_left_out(gold: str) -> list[str]:
    return [match[1]] if (match := BASE.fullmatch(gold)) else []


@kind("tuple without brackets", OPEN)
def _no_brackets(gold: str) -> list[str]:
    parts = inside_brackets(gold)
    return [", ".join(parts[1])] if parts and parts[0] == "(" else []


@kind("right side of an equation alone", OPEN)
def _right_side(gold: str) -> list[str]:
    return [match[1].strip()] if (match := re.fullmatch(r"y\s*=(.*x.*)", gold)) else []


@kind("square bracket for a tuple of three", OPEN)
def _square_tuple(gold: str) -> list[str]:
    parts = inside_brackets(gold)
    return [f"[{', '.join(parts[1])}]"] if parts and len(parts[1]) > 2 else []


@kind("whole equation multiplied by -1", OPEN)
def _scaled(gold: str) -> list[str]:
    match = re.fullmatch(r"(.*)= 0", gold)
    value = read(match[1]) if match else None
    return [sympy.latex(sympy.expand(-value)) + " = 0"] if value is not None else []


@kind("number not rounded where the gold is approximate", OPEN)
def _approximate(gold: str) -> list[str]:
    return [gold.removeprefix("\\approx ")] if gold.startswith("\\approx") else []
