r"""Decides whether an answer means the same as the gold, in stages, the cheapest first.

text
    Both have the same normal form.
number
    Both consist of numerals, units and words, which are compared exactly.
guard
    The guard refuses the answer because of its text, so computer algebra does not read it.
symbolic
    Computer algebra compares the two, in a worker process. Its verdicts are cached, and threads that ask for the same
    pair wait for one comparison.
limit
    Computer algebra exceeded a limit or failed: not equal.

The grader ``math_verify`` has other stages: ``math_verify`` (plain Math-Verify decides, in a worker process), ``guard``
(a text is too long) and ``limit``.

docs/grading.md defines what counts as equal. The order of the stages and the quick checks at the start of ``equal``
exist for speed; tests/benchmarks/benchmark_grader.py measures them against plain Math-Verify on the same responses.
"""

from dataclasses import dataclass
from functools import lru_cache

from limr.errors import LimrError, one_of
from limr.grading.cache import SingleFlight
from limr.grading.guard import DEEPEST, LONGEST, is_too_deep, refusal
from limr.grading.normal_form import normal_form
from limr.grading.numbers import numeral
from limr.grading.plain import compare_plain
from limr.grading.structure_comparison import compare
from limr.grading.worker_process import Outcome
from limr.grading.workers import Workers

LONGEST_TEXT = 4 * LONGEST
"""The longest gold or answer that is read, in characters after collapsing white space.

Spacing commands make a text longer than its normal form."""

CACHED_PAIRS = 100_000

LIMR, MATH_VERIFY = "limr", "math_verify"
GRADERS = (LIMR, MATH_VERIFY)
"""What compares gold and answer: this project's stages (the default), or plain Math-Verify, as other papers use it."""


@dataclass(frozen=True)
class Equality:
    """Whether gold and answer are equal, which stage decided it, and why."""

    equal: bool
    stage: str
    reason: str


_SAME_TEXT = Equality(True, "text", "the same text")
_SAME_FORM = Equality(True, "text", "the same in normal form")
_SAME_NUMBER = Equality(True, "number", "the same numbers")
_OTHER_NUMBER = Equality(False, "number", "other numbers, words or brackets, or not evaluated")
_NO_GOLD = Equality(False, "text", "the gold is empty")
_NO_ANSWER = Equality(False, "text", "the answer is empty")
_TOO_LONG = Equality(False, "guard", f"longer than {LONGEST_TEXT} characters")
_DEEP_GOLD = Equality(False, "guard", f"the gold has brackets nested more than {DEEPEST} deep")


def _verdicts_of(name: str, stage: str) -> dict[Outcome, Equality]:
    """What the outcomes of a worker mean."""
    return {
        Outcome.EQUAL: Equality(True, stage, f"equal by {name}"),
        Outcome.DIFFERENT: Equality(False, stage, f"different by {name}"),
        Outcome.CPU_LIMIT: Equality(False, "limit", f"{name} reached its limit of CPU time"),
        Outcome.MEMORY_LIMIT: Equality(False, "limit", f"{name} reached its limit of memory"),
        Outcome.FAILED: Equality(False, "limit", f"{name} failed"),
    }


_OUTCOMES = {LIMR: _verdicts_of("computer algebra", "symbolic"), MATH_VERIFY: _verdicts_of("Math-Verify", MATH_VERIFY)}
_workers = {LIMR: Workers("limr.grading.symbolic"), MATH_VERIFY: Workers("limr.grading.math_verify_alone")}
_verdicts: SingleFlight[tuple[str, str, str], Equality] = SingleFlight(CACHED_PAIRS)


def equal(gold: str, answer: str, grader: str = LIMR) -> Equality:
    r"""Whether ``answer`` is equal to ``gold``; ``grader`` is one of ``GRADERS``.

    Takes any two texts, from any number of threads and processes; the verdict depends only on the grader and the two
    texts. Raises LimrError only for a grader that does not exist, and if no worker process can be started.

    >>> equal("0.5", r"\frac{1}{2}")
    Equality(equal=True, stage='number', reason='the same numbers')
    >>> equal("11", "3+8").equal
    False
    """
    if grader != LIMR:
        return _by_math_verify(gold, answer, grader)
    if gold == answer and gold.isalnum():
        return _SAME_TEXT
    if gold.isdigit() and answer.isdigit() and gold.isascii() and answer.isascii():
        return _SAME_NUMBER if gold.lstrip("0") == answer.lstrip("0") else _OTHER_NUMBER
    if len(gold) > LONGEST_TEXT or len(answer) > LONGEST_TEXT:
        gold, answer = " ".join(gold.split()), " ".join(answer.split())
        if len(gold) > LONGEST_TEXT or len(answer) > LONGEST_TEXT:
            return _TOO_LONG if gold != answer else _SAME_TEXT
    if not gold.strip():
        return _NO_GOLD
    return _compare_forms(_gold_form(gold), normal_form(answer))


def _compare_forms(gold: str, answer: str) -> Equality:
    if not gold:
        return _NO_GOLD
    if not answer:
        return _NO_ANSWER
    if gold == answer:
        return _SAME_FORM
    if "," not in gold and "," not in answer:  # most pairs are decided here
        value, answered = numeral(gold), numeral(answer)
        if value is not None and answered is not None:
            return _SAME_NUMBER if value == answered else _OTHER_NUMBER
    reason = refusal(answer)
    if reason:
        return Equality(False, "guard", reason)
    if _is_deep_gold(gold):
        return _DEEP_GOLD
    verdict = compare(gold, answer, compare_plain)
    if verdict is not None:
        return _SAME_NUMBER if verdict else _OTHER_NUMBER
    return _by_worker(LIMR, gold, answer)


def _by_math_verify(gold: str, answer: str, grader: str) -> Equality:
    if grader != MATH_VERIFY:
        raise LimrError(where="grader", found=repr(grader), expected=one_of(GRADERS))
    if len(gold) > LONGEST_TEXT or len(answer) > LONGEST_TEXT:
        return _TOO_LONG
    return _by_worker(MATH_VERIFY, gold, answer)


def _by_worker(grader: str, gold: str, answer: str) -> Equality:
    """The verdict of a worker process, from the cache if this pair was compared before."""
    return _verdicts.get((grader, gold, answer), lambda: _OUTCOMES[grader][_workers[grader].compare(gold, answer)])


@lru_cache(maxsize=20_000)
def _gold_form(gold: str) -> str:
    return normal_form(gold)


_is_deep_gold = lru_cache(maxsize=20_000)(is_too_deep)
