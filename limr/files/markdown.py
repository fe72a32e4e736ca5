"""Frames as Markdown tables."""

from collections.abc import Collection

import polars as pl


def markdown_table(table: pl.DataFrame, *, whole: Collection[str] = (), percent: Collection[str] = ()) -> str:
    """One row a row of ``table``. Numbers have three decimals; the columns in ``whole`` none where they are whole (a
    mean of counts may not be, and has one), those in ``percent`` are fractions in percent. Null is a dash.

    >>> table = pl.DataFrame({"method": ["lim"], "kept": [1389], "share": [0.163], "theta": [0.6]})
    >>> print(markdown_table(table, whole=["kept"], percent=["share"]))
    | method | kept | share | theta |
    | --- | --- | --- | --- |
    | lim | 1,389 | 16.3 % | 0.600 |
    """
    cells = [
        [_cell(value, name in whole, name in percent) for value in column]
        for name, column in zip(table.columns, table.iter_columns(), strict=True)
    ]
    header = [f"| {' | '.join(table.columns)} |", "|" + " --- |" * table.width]
    return "\n".join(header + [f"| {' | '.join(row)} |" for row in zip(*cells, strict=True)])


def percentage(fraction: float, decimals: int = 1) -> str:
    """``fraction`` in percent.

    >>> percentage(0.163), percentage(0.163, decimals=0)
    ('16.3 %', '16 %')
    """
    return f"{fraction:.{decimals}%}".replace("%", " %")


def _cell(value: str | float | None, whole: bool, percent: bool) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if percent:
        return percentage(value)
    if whole:
        return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
    return f"{round(value, 3) + 0.0:.3f}"  # adding 0 turns -0.0 into 0.0
