"""Find the prompts of a training log among the rows of a user's own data set.

A prompt is found by its id, by its text, or by its text without the instruction that training put around every prompt
("Let's think step by step ..."). If two different texts fit, the prompt stays unmatched.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from limr.prompts import collapsed
from limr.prompts import prompt_id as hash_of

_PROBES = 32  # prompts of the log that are searched for texts of the data set, to find the instruction around them


@dataclass(frozen=True)
class Instruction:
    """The text before and after the data set's own text in every prompt of the log (white space collapsed)."""

    before: str
    after: str

    def __str__(self) -> str:
        return " ... ".join(part for part in (repr(self.before), repr(self.after)) if part != "''")


@dataclass
class Matching:
    """The rows of each prompt that was found (prompt_id -> row numbers), how it was found, and the unmatched prompts.

    ``ambiguous`` is the part of ``unmatched`` for which two different texts of the data set fit.
    """

    rows: dict[str, list[int]] = field(default_factory=dict)
    by_id: int = 0
    by_text: int = 0
    by_instruction: int = 0
    instruction: Instruction | None = None
    unmatched: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)


def match(
    wanted: Iterable[str],
    logged: Mapping[str, str],
    texts: Sequence[str],
    ids: Sequence[str | None] | None = None,
    trust_ids: bool = False,
) -> Matching:
    """Find the prompts ``wanted`` (ids) among the rows of a data set.

    ``logged`` has the text of every prompt of the log (prompt_id -> text), not only of the wanted ones: the instruction
    is recognised as the text that all of them share. ``texts`` and ``ids`` are the data set's, one per row. Rows with
    an equal id do not match if both texts are known and neither contains the other, unless ``trust_ids``.

    >>> logged = {"a": "1+1? Be brief.", "b": "2*3? Be brief.", "c": "5-4? Be brief."}
    >>> found = match(["a", "c"], logged, ["5-4?", "9/3?", "1+1?", "2*3?"])
    >>> found.rows, str(found.instruction)
    ({'a': [2], 'c': [0]}, "'Be brief.'")
    """
    logged = {prompt_id: collapsed(text) for prompt_id, text in logged.items()}
    rows_of_text, rows_of_id = defaultdict(list), defaultdict(list)
    texts = [collapsed(text) for text in texts]
    for row, text in enumerate(texts):
        rows_of_text[text].append(row)
    for row, row_id in enumerate(ids or ()):
        if row_id is not None and (trust_ids or _texts_agree(logged.get(row_id), texts[row])):
            rows_of_id[row_id].append(row)
    found = Matching()
    remaining = []
    rows_of_hash = {hash_of(text): rows for text, rows in rows_of_text.items()}
    for prompt_id in wanted:
        if len({texts[row] for row in rows_of_id.get(prompt_id, ())}) > 1:
            found.ambiguous.append(prompt_id)
            found.unmatched.append(prompt_id)
        elif prompt_id in rows_of_id:
            found.rows[prompt_id] = rows_of_id[prompt_id]
            found.by_id += 1
        elif rows := rows_of_text.get(logged[prompt_id]) if prompt_id in logged else rows_of_hash.get(prompt_id):
            found.rows[prompt_id] = rows
            found.by_text += 1
        else:
            remaining.append(prompt_id)
    if remaining:
        _match_without_instruction(found, remaining, logged, rows_of_text)
    return found


def nearest(text: str, texts: Iterable[str]) -> str | None:
    """The text of ``texts`` that shares most words with ``text``, by Jaccard's index; the first one if several tie."""
    words = set(text.split())

    def shared(other: str) -> float:
        others = set(other.split())
        return len(words & others) / (len(words | others) or 1)

    return max(texts, key=shared, default=None)


def _texts_agree(logged: str | None, text: str) -> bool:
    return logged is None or text in logged or logged in text


def _match_without_instruction(
    found: Matching, remaining: list[str], logged: Mapping[str, str], rows_of_text: Mapping[str, list[int]]
) -> None:
    """Find the ``remaining`` prompts by their text without the instruction, and add them to ``found``."""
    known = {prompt_id: logged[prompt_id] for prompt_id in remaining if prompt_id in logged}
    # a cut is how many characters the instruction takes before and after the text of the data set
    cuts = _cuts(list(known.values()), list(logged.values()), rows_of_text)
    fits = {
        prompt_id: {cut: text[cut[0] : len(text) - cut[1]] for cut in cuts if _is_cut_out(text, *cut, rows_of_text)}
        for prompt_id, text in known.items()
    }
    counts = [sum(cut in of_prompt for of_prompt in fits.values()) for cut in cuts]
    best = max(counts, default=0)
    # A single prompt is no evidence of an instruction. If two cuts fit equally many prompts, neither is used.
    cut = cuts[counts.index(best)] if best > 1 and counts.count(best) == 1 else None
    for prompt_id in remaining:
        of_prompt = fits.get(prompt_id, {})
        if len(set(of_prompt.values())) > 1:
            found.ambiguous.append(prompt_id)
        if cut in of_prompt and len(set(of_prompt.values())) == 1:
            found.rows[prompt_id] = rows_of_text[of_prompt[cut]]
            found.by_instruction += 1
        else:
            found.unmatched.append(prompt_id)
    if found.by_instruction:
        text = next(iter(logged.values()))
        found.instruction = Instruction(text[: cut[0]].strip(), text[len(text) - cut[1] :].strip())


def _cuts(remaining: list[str], logged: list[str], texts: Collection[str]) -> list[tuple[int, int]]:
    """The possible positions of data set texts inside the log's prompts: (characters before, characters after)."""
    # the instruction is at most what all prompts share at their start and at their end
    before, after = _shared_start(logged), _shared_start([text[::-1] for text in logged])
    if not before + after or len(set(logged)) < 2:
        return []
    cuts = set()
    for text in remaining[:: -(-len(remaining) // _PROBES)]:
        for part in texts:
            if not len(text) - before - after <= len(part) < len(text):
                continue
            at = text.find(part)
            while part and at >= 0:
                if at <= before and len(text) - at - len(part) <= after:
                    cuts.add((at, len(text) - at - len(part)))
                at = text.find(part, at + 1)
    return sorted(cuts)


def _shared_start(texts: list[str]) -> int:
    """How many characters all ``texts`` share at their start."""
    first, last = min(texts, default=""), max(texts, default="")  # all texts sort between these two and share as much
    return next((at for at, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1), len(first))


def _is_cut_out(text: str, before: int, after: int, texts: Collection[str]) -> bool:
    """Whether the cut leaves a text of the data set, and does not cut through a word or number."""
    end = len(text) - after
    return (
        before < end
        and text[before:end] in texts
        and not any(0 < at < len(text) and _in_a_word(text[at - 1], text[at]) for at in (before, end))
    )


def _in_a_word(left: str, right: str) -> bool:
    """Whether two neighbouring characters belong to one word or number. Scripts without spaces count as separate."""
    return left.isascii() and right.isascii() and right.isalnum() and (left.isalnum() or left in "-.,/")
