r"""Units of measure, and words next to a number: splits them off a text, and decides whether two units agree."""

import re
from functools import lru_cache

_SYNONYMS = {
    "centimeter": "cm centimetre",
    "millimeter": "mm millimetre",
    "kilometer": "km kilometre",
    "decimeter": "dm decimetre",
    "meter": "m metre",
    "inch": "in",
    "foot": "ft feet",
    "yard": "yd",
    "mile": "mi",
    "second": "s sec",
    "minute": "min",
    "hour": "h hr",
    "gram": "g gm",
    "kilogram": "kg",
    "milligram": "mg",
    "pound": "lb",
    "ounce": "oz",
    "liter": "l litre",
    "milliliter": "ml millilitre",
    "gallon": "gal",
    "dollar": "usd",
    "euro": "eur",
    "degree": "deg",
    "radian": "rad",
    "square": "sq",
    "cubic": "cu",
    "mph": "mile/hour mi/h mi/hr",
    "kph": "km/h km/hr kmh kmph",
    "man": "men",
    "woman": "women",
    "child": "children",
    "person": "people",
    "die": "dice",
    "am": "",
    "pm": "",
}
_MEANING = {word: unit for unit, synonyms in _SYNONYMS.items() for word in (unit, *synonyms.split())}
_POWERS = {"square": 2, "cubic": 3, "squared": 2, "cubed": 3}
_CHANGING = {
    *("hundred", "thousand", "million", "billion", "trillion", "dozen", "score", "half", "third", "quarter", "power"),
    *("squared", "cubed", "factorial", "plus", "minus", "times", "negative", "not", "no", "wrong", "incorrect"),
}
"""Words next to a number that change or negate it. An answer may add a unit, but none of these words."""
_FILLERS = {"of", "about", "approximately", "exactly", "total", "different", "distinct", "long", "each"}

SHORT_UNITS = {word + plural for word in _MEANING for plural in ("", "s") if 2 <= len(word) <= 3 and word != "die"}
"""Units of two or three letters (``cm``, ``hrs``). Next to a number they are not a product of variables."""

UNIT_LETTERS = {"m", "s", "g", "h", "l", "L"}
"""Single letters that are units when they are in text and next to a number."""

ANGLE_OF = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)")
CURRENCY = re.compile(r"([-+]?)(?:\\\$|\\text\{(euro|sterling|usd|eur|rs)\})")
_SUFFIX = re.compile(r"\\text\{([a-z /]+)\}(?:\^\{([23])\})?\Z")


def split_unit(text: str) -> tuple[str, str]:
    r"""Split ``text``, in normal form, into the part without its unit, and the unit ("" when it has none).

    >>> split_unit(r"15\text{cm}^{2}")
    ('15', 'centimeter^2')
    >>> split_unit(r"-\$0.50")
    ('-0.50', 'dollar')
    >>> split_unit(r"\text{saturday}")
    ('\\text{saturday}', '')
    """
    prefix = CURRENCY.match(text)
    if prefix:
        core, unit = prefix[1] + text[prefix.end() :], prefix[2] or "dollar"
        rest, again = split_unit(core) if core and not CURRENCY.match(core) else (core, "")
        return (rest, unit) if again in ("", unit) else (text, "")
    if text.endswith("%"):
        return text[:-1], "%"
    for degree, unit in (
        ("^{\\circ}", "degree"),
        ("^{\\circ}C", "degree celsius"),
        ("^{\\circ}F", "degree fahrenheit"),
    ):
        if text.endswith(degree) and not ANGLE_OF.search(text):
            return text[: -len(degree)], unit
    start = text.rfind("\\text{")
    suffix = _SUFFIX.match(text, start) if start > 0 else None
    if suffix is None:
        return text, ""
    return text[:start], _unit(suffix[1], int(suffix[2] or 1))


@lru_cache(maxsize=1024)
def _unit(words: str, power: int) -> str:
    """The unit that ``words`` name, in the singular and with its power: ``sq. ft`` is ``foot^2``."""
    kept = []
    for word in words.replace(" per ", "/").split():
        word = _meaning(word)
        if word in _POWERS:
            power *= _POWERS[word]
        elif word not in _FILLERS:
            kept.append(word)
    if power > 1 and not kept:
        kept.append("squared" if power == 2 else "cubed")
        power = 1
    return " ".join(kept) + (f"^{power}" if power > 1 else "")


def _meaning(word: str) -> str:
    if "/" in word:
        word = "/".join(map(_meaning, word.split("/")))
    for candidate in (word, word.removesuffix("s"), word.removesuffix("es")):
        if candidate in _MEANING:
            return _MEANING[candidate]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def units_agree(gold: str, answer: str) -> bool:
    """Whether two units can belong to the same quantity: they are equal, or one is missing, or one ends with the other.

    >>> units_agree("centimeter^2", ""), units_agree("right triangle", "triangle"), units_agree("day", "hour")
    (True, True, False)
    >>> units_agree("", "apple"), units_agree("", "million")
    (True, False)
    """
    if not _CHANGING.isdisjoint(set(answer.split()) - set(gold.split())):
        return False
    if not gold or not answer or gold == answer:
        return True
    return f" {gold}".endswith(f" {answer}") or f" {answer}".endswith(f" {gold}")
