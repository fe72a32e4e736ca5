"""Why a prompt has no score or is not selected: a kind that can be counted, and a detail of this one prompt.

A scores file holds a reason as text, ``kind: detail`` or ``kind`` alone. A kind contains no colon followed by a space,
so ``kind_of`` gets the kind back from the file.
"""

from dataclasses import dataclass

import polars as pl

_SEPARATOR = ": "


@dataclass(frozen=True)
class Reason:
    """One reason.

    >>> str(Reason("missing visits", "3 of 0 to 4")), str(Reason("no trajectory"))
    ('missing visits: 3 of 0 to 4', 'no trajectory')
    """

    kind: str
    detail: str = ""

    def __post_init__(self) -> None:
        if _SEPARATOR in self.kind:
            raise ValueError(f"the kind of a reason may not contain {_SEPARATOR!r}, found {self.kind!r}")

    def __str__(self) -> str:
        return f"{self.kind}{_SEPARATOR}{self.detail}" if self.detail else self.kind


NO_TRAJECTORY = Reason("no trajectory")
NOT_GRADABLE = Reason("gold answer cannot be graded")
MISSING_VISITS = "missing visits"  # a kind: the detail names the visits


def written_reasons(kind: str, detail: pl.Expr) -> pl.Expr:
    """The reasons of many prompts as a scores file holds them: one kind, the detail of each prompt.

    >>> pl.DataFrame({"rank": [3, 4]}).select(written_reasons("not among the best 2", pl.col("rank"))).to_series()[1]
    'not among the best 2: 4'
    """
    return pl.format("{}{}", pl.lit(str(Reason(kind)) + _SEPARATOR), detail)


def kind_of(reason: str | pl.Expr) -> pl.Expr:
    """The kinds of the reasons in a column of a scores file.

    >>> scores = pl.DataFrame({"reason": ["missing visits: 7 of 0 to 8", "missing visits: 1, 2 of 0 to 8", ""]})
    >>> scores.select(kind_of("reason"))["reason"].to_list()
    ['missing visits', 'missing visits', '']
    """
    column = pl.col(reason) if isinstance(reason, str) else reason
    return column.str.split(_SEPARATOR).list.first()
