"""Markdown as one HTML file that needs no other: its figures are embedded, and it loads and runs nothing."""

import base64
import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from limr.errors import LimrError

_SUFFIXES = {".png": "image/png"}
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>
{body}</main>
</body>
</html>
"""


def html_page(text: str, folder: Path, title: str) -> str:
    """``text``, Markdown, as a whole HTML page. HTML in ``text`` is shown as text; images are files below ``folder``.

    Headings get the anchors that code hosts give them (``anchor``), so the same links work in both forms.

    Raises LimrError for an image that is missing or lies elsewhere.
    """
    parser = MarkdownIt("commonmark", {"html": False, "xhtmlOut": False}).enable("table")
    tokens = parser.parse(text)
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor(tokens[index + 1].content))
        for child in token.children or []:
            if child.type == "image":
                child.attrSet("src", _embedded(str(child.attrGet("src")), folder))
    body = parser.renderer.render(_scrollable(tokens), parser.options, {})
    style = files("limr.report").joinpath("report.css").read_text(encoding="utf-8")
    return _PAGE.format(title=escape(title), style=style, body=body)


def anchor(heading: str) -> str:
    """The anchor of a heading: lower case, hyphens for spaces, no punctuation.

    >>> anchor("How early could the probe have stopped?")
    'how-early-could-the-probe-have-stopped'
    """
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _scrollable(tokens: Sequence[Token]) -> list[Token]:
    """``tokens`` with a box around each table, so that a wide table scrolls and the page does not."""
    boxed: list[Token] = []
    for token in tokens:
        if token.type == "table_open":
            boxed.append(Token("box_open", "div", 1, attrs={"class": "table", "tabindex": 0}, block=True))
        boxed.append(token)
        if token.type == "table_close":
            boxed.append(Token("box_close", "div", -1, block=True))
    return boxed


def _embedded(source: str, folder: Path) -> str:
    """The image file as a data URI."""
    file = folder / source
    kind = _SUFFIXES.get(file.suffix)
    if kind is None or not file.is_file() or not file.resolve().is_relative_to(folder.resolve()):
        raise LimrError(where=file, found="no PNG file there", expected=f"a figure below {folder}")
    return f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode('ascii')}"
