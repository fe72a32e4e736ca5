"""Markdown tables. Only this module writes them, so all tables show numbers and escape text in the same way."""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from limr.errors import one_line

if TYPE_CHECKING:  # callers that have rows of text need no Polars
    import polars as pl


def markdown_table(table: "pl.DataFrame", *, whole: Collection[str] = (), percent: Collection[str] = ()) -> str:
    """``table`` in Markdown, one line per row.

    Numbers have three decimals. In the columns ``whole`` they have none, or one if the number is not whole, such as a
    mean of counts. The columns in ``percent`` hold fractions and are shown in percent. Null is a dash.

    >>> import polars as pl
    >>> table = pl.DataFrame({"method": ["lim"], "kept": [1389], "share": [0.163], "theta": [0.6]})
    >>> print(markdown_table(table, whole=["kept"], percent=["share"]))
    | method | kept | share | theta |
    | --- | --- | --- | --- |
    | lim | 1,389 | 16.3 % | 0.600 |
    """
    cells = [
        [_number(value, name in whole, name in percent) for value in column]
        for name, column in zip(table.columns, table.iter_columns(), strict=True)
    ]
    return markdown_rows(table.columns, zip(*cells, strict=True))


def markdown_rows(header: Sequence[str], rows: Iterable[Sequence[str | int | None]], *, aligned: bool = False) -> str:
    r"""A table of text and whole numbers in Markdown. None is a dash; ``|`` is escaped, a line break is a space.

    ``aligned`` pads the cells of the source: the first column is flush left, the others are flush right.

    >>> print(markdown_rows(["answer", "prompts"], [["|x|", 1024]]))
    | answer | prompts |
    | --- | --- |
    | \|x\| | 1,024 |
    >>> print(markdown_rows(["answer", "prompts"], [["|x|", 1024]], aligned=True))
    | answer | prompts |
    | ------ | ------: |
    | \|x\|  |   1,024 |
    """
    head, *body = [[_escaped(cell) for cell in row] for row in (header, *rows)]
    rule = ["---"] * len(head)
    if aligned:
        widths = [max(2, *map(len, column)) for column in zip(head, *body, strict=True)]  # a rule is at least "-:"
        head, *body = [[row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in (head, *body)]
        rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *body))


def markdown_text(text: str) -> str:
    r"""Text from a file as one line of a page: HTML, control characters and line breaks are escaped.

    >>> print(markdown_text("<b>\n"))
    \<b>\n
    """
    return _backslashed(one_line(text), "<")


def markdown_code(text: str) -> str:
    """Text from a file as code in a line.

    >>> markdown_code("a`b")
    '`` a`b ``'
    """
    text = one_line(text)
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def as_written(text: str) -> str:
    r"""``text`` of the configuration in Markdown that shows it unchanged; ``|`` is left to the writer of tables.

    >>> print(as_written("a_b <i> & `$x`"))
    a\_b &lt;i> &amp; \`\$x\`
    """
    return re.sub(r"([\\`*_~$\[\]])", r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;"))


def percentage(fraction: float, decimals: int = 1) -> str:
    """``fraction`` in percent.

    >>> percentage(0.163), percentage(0.163, decimals=0)
    ('16.3 %', '16 %')
    """
    return f"{fraction:.{decimals}%}".replace("%", " %")


def _number(value: str | float | None, whole: bool, percent: bool) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if percent:
        return percentage(value)
    if whole:
        return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
    return f"{round(value, 3) + 0.0:.3f}"  # adding 0 turns -0.0 into 0.0


def _escaped(cell: str | int | None) -> str:
    if cell is None:
        return "-"
    text = cell if isinstance(cell, str) else f"{cell:,}"
    return _backslashed(markdown_text(text.replace("\n", " ")), "|")


def _backslashed(text: str, character: str) -> str:
    r"""``text`` with each ``character`` escaped: an odd number of backslashes before it.

    >>> print(_backslashed(r"a|b\|c", "|"))
    a\|b\\\|c
    """
    return re.sub(
        rf"(\\*){re.escape(character)}",
        lambda found: found[1] + ("\\" if len(found[1]) % 2 == 0 else "\\\\") + character,
        text,
    )
