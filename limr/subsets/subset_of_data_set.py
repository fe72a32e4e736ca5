"""The subset as rows of a user's own data set: the selected prompts of a log, found among its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from limr.errors import Column, LimrError
from limr.prompts import collapsed
from limr.subsets.conversations import user_text
from limr.subsets.data_set import DataSet, column_of
from limr.subsets.matching import Matching, match, nearest

_SHOWN = 160  # characters of a prompt


@dataclass(frozen=True, eq=False)
class OwnSubset:
    """The numbers of the selected ``rows`` of the data set, in order, and how they were found.

    ``missing`` is the error about the selected prompts that were not found; None where all were.
    """

    rows: list[int]
    matching: Matching
    prompt_column: str
    missing: LimrError | None

    def summary(self) -> list[str]:
        """Lines for the user: how the prompts were found."""
        found = self.matching
        ways = {"by prompt_id": found.by_id, "by text": found.by_text}
        ways |= {f"by text without {found.instruction}": found.by_instruction}
        duplicates = len(self.rows) - len(found.rows)
        return [
            f"found {', '.join(f'{number:,} {way}' for way, number in ways.items() if number) or 'none'}"
            f" (prompts in column {self.prompt_column!r})",
            *([f"duplicate rows of these prompts, kept too: {duplicates:,}"] if duplicates else []),
        ]


def subset_of_data_set(
    selected: Sequence[str], logged: Mapping[str, str], data_set: DataSet, columns: Mapping[str, str]
) -> OwnSubset:
    """Find the ``selected`` prompts (ids) among the rows of ``data_set``.

    ``logged`` has the texts of all prompts of the log, where they are known (see ``matching.match``). ``columns`` may
    name the columns ``prompt`` and ``prompt_id``. If it does not name the second, a column called prompt_id is used,
    but only for rows with a text that agrees with the log.

    Raises LimrError if the data set has no such columns, or if none of the prompts is among its rows.
    """
    prompt_column = column_of(data_set, "prompt", columns.get("prompt"))
    texts = [user_text(prompt, place) for place, prompt in data_set.column(prompt_column)]
    id_column = data_set.name_of("prompt_id", columns.get("prompt_id"))
    ids = data_set.ids(id_column) if id_column else None
    found = match(selected, logged, texts, ids, trust_ids="prompt_id" in columns)
    missing = _missing(found, logged, data_set, texts, prompt_column) if found.unmatched else None
    if missing and not found.rows:
        raise missing
    return OwnSubset(sorted({row for rows in found.rows.values() for row in rows}), found, prompt_column, missing)


def _missing(
    found: Matching, logged: Mapping[str, str], data_set: DataSet, texts: Sequence[str], column: str
) -> LimrError:
    """The error about the prompts that were not found, with one of them as an example."""
    n_missing, n_ambiguous = len(found.unmatched), len(found.ambiguous)
    what = f"{n_missing:,} of the {n_missing + len(found.rows):,} selected prompts are not among its rows"
    if n_ambiguous:
        what += f" ({n_ambiguous:,} of them because two different rows fit)"
    example = next((name for name in found.unmatched if name in logged), found.unmatched[0])
    if example not in logged:
        return LimrError(
            [what, f"; prompt {example} is one of them"],
            where=data_set.file,
            advice=[
                "The texts of the log are not known: the log has only ids, or there is no .prompts.parquet beside the"
                " scores. Name the column of ids in the data set: ",
                Column("prompt_id"),
                ".",
            ],
        )
    closest = nearest(logged[example], texts) or ""
    return LimrError(
        what,
        where=data_set.file,
        advice=[
            f"For example prompt {example}:\n  in the log: {_shortened(logged[example])}\n"
            f"  nearest in column {column!r}: {_shortened(closest)}\n"
            "  Either training put an instruction around every prompt and it was not recognised, or this is another"
            " data set or another version of it. Name another column (",
            Column("prompt"),
            "), or a column of ids that the log and the data set share (",
            Column("prompt_id"),
            ", for `limr score` and here).",
        ],
    )


def _shortened(text: str) -> str:
    text = collapsed(text)
    half = _SHOWN // 2
    return repr(text if len(text) <= _SHOWN else f"{text[:half]} ... {text[-half:]}")
