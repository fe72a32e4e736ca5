"""Unicode characters rewritten as LaTeX: typographic signs, full-width forms, digits of other scripts."""
# ruff: noqa: RUF001, RUF002 (this file is about characters that look like others)

import re
import unicodedata

_FOR_EACH = {
    "-": "−–—‒﹣－‐‑",
    "*": "×·∙⋅∗",
    "'": "’‘′",
    "": '"“”″\u200b\u200c\u200d\u2060\ufeff\u00ad\u2061\u2062\u2063\u2064',
    " ": "\u00a0\u2009\u202f\u3000\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u200a",
    "\\div ": "÷",
    "/": "⁄∕",
    "^{\\circ}": "°º˚",
    "\\pi ": "π",
    "\\theta ": "θ",
    "\\alpha ": "α",
    "\\beta ": "β",
    "\\sqrt ": "√",
    "\\infty ": "∞",
    "\\pm ": "±",
    "\\mp ": "∓",
    "\\le ": "≤⩽",
    "\\ge ": "≥⩾",
    "\\ne ": "≠",
    "\\approx ": "≈",
    "\\in ": "∈",
    "\\cup ": "∪",
    "\\cap ": "∩",
    "\\setminus ": "∖",
    "\\emptyset ": "∅",
    "\\mathbb{R}": "ℝ",
    "\\langle ": "⟨",
    "\\rangle ": "⟩",
    "\\text{euro}": "€",
    "\\text{sterling}": "£",
    ", ": "、，",
    ".": "。",
    ":": "∶",
}
_FRACTIONS = {"½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅛": (1, 8)}

_TABLE = str.maketrans(
    {chr(0xFF01 + offset): chr(0x21 + offset) for offset in range(94)}
    | {source: target for target, sources in _FOR_EACH.items() for source in sources}
    | {source: f"\\frac{{{top}}}{{{bottom}}}" for source, (top, bottom) in _FRACTIONS.items()}
    | {source: f"^{{{digit}}}" for digit, source in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
    | {source: f"_{{{digit}}}" for digit, source in enumerate("₀₁₂₃₄₅₆₇₈₉")}
)
_ROOT = re.compile(r"√([0-9]+)")


def plain_characters(text: str) -> str:
    r"""``text`` with these characters rewritten in ASCII and LaTeX; all others stay as they are.

    >>> plain_characters("（√２，٤²]")
    '(\\sqrt 2, 4^{2}]'
    """
    if text.isascii():
        return text
    text = _ROOT.sub(r"\\sqrt{\1}", text).translate(_TABLE)
    return text if text.isascii() else "".join(map(_digit, text))


def _digit(character: str) -> str:
    return str(unicodedata.decimal(character)) if character.isdecimal() else character
