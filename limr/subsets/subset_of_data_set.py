"""The subset as rows of somebody's own data set: the selected prompts of a log, found among its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from limr.errors import LimrError
from limr.prompts import collapsed
from limr.subsets.data_set import DataSet, column_of, user_turn
from limr.subsets.matching import Matching, match, nearest

_SHOWN = 160  # characters of a prompt


@dataclass(frozen=True, eq=False)
class OwnSubset:
    """The ``rows`` of the data set that are selected (their numbers, in order), how they were found, and by what."""

    rows: list[int]
    matching: Matching
    prompt_column: str
    missing: str  # what a person has to know about the selected prompts that were not found; empty where all were

    def summary(self) -> list[str]:
        """In lines: how the prompts were found."""
        found = self.matching
        ways = {"by prompt_id": found.by_id, "by text": found.by_text}
        ways |= {f"by text without {found.instruction}": found.by_instruction}
        doubled = len(self.rows) - len(found.rows)
        return [
            f"found {', '.join(f'{number:,} {way}' for way, number in ways.items() if number) or 'none'}"
            f" (prompts in column {self.prompt_column!r})",
            *([f"rows that hold a prompt for another time, kept too: {doubled:,}"] if doubled else []),
        ]


def subset_of_data_set(
    selected: Sequence[str], logged: Mapping[str, str], data_set: DataSet, columns: Mapping[str, str]
) -> OwnSubset:
    """Find the ``selected`` prompts (ids) among the rows of ``data_set``.

    ``logged`` has the texts of all prompts of the log, where they are known (see ``matching.match``). ``columns`` may
    name the columns ``prompt`` and ``prompt_id``; without a name for the second, a column called prompt_id counts where
    the texts do not contradict it.

    Raises LimrError where the data set has no such columns, and when none of the prompts is among its rows.
    """
    prompt_column = column_of(data_set, "prompt", columns.get("prompt"))
    texts = [user_turn(prompt, place) for place, prompt in data_set.column(prompt_column)]
    id_column = data_set.name_of("prompt_id", columns.get("prompt_id"))
    ids = [str(value) for _, value in data_set.column(id_column)] if id_column else None
    found = match(selected, logged, texts, ids, trust_ids="prompt_id" in columns)
    missing = _missing(found, logged, data_set, texts, len(selected), prompt_column)
    if not found.rows:
        raise LimrError(missing)
    return OwnSubset(sorted({row for rows in found.rows.values() for row in rows}), found, prompt_column, missing)


def _missing(
    found: Matching, logged: Mapping[str, str], data_set: DataSet, texts: Sequence[str], wanted: int, column: str
) -> str:
    if not found.unmatched:
        return ""
    example = next((name for name in found.unmatched if name in logged), found.unmatched[0])
    lines = [f"{data_set.file}: {len(found.unmatched):,} of the {wanted:,} selected prompts are not among its rows"]
    if found.ambiguous:
        lines[0] += f" ({len(found.ambiguous):,} of them because two different rows fit)"
    if example in logged:
        lines += [
            f"  e.g. prompt {example}, in the log: {_shown(logged[example])}",
            f"  the nearest in column {column!r}:   {_shown(nearest(logged[example], texts) or '')}",
            "  Training may have put an instruction around every prompt in a way that was not recognised, or the data"
            " set is another one, or another version. Name another column (--column prompt=NAME), or ids that log and"
            " data set share (--column prompt_id=NAME, for limr score and here).",
        ]
    else:
        lines.append(
            f"  e.g. prompt {example}; the log's own texts are not at hand: the log has ids alone, or there is no"
            " .prompts.parquet beside the scores. Name the data set's column of ids: --column prompt_id=NAME"
        )
    return "\n".join(lines)


def _shown(text: str) -> str:
    text = collapsed(text)
    half = _SHOWN // 2
    return repr(text if len(text) <= _SHOWN else f"{text[:half]} ... {text[-half:]}")
