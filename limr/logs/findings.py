"""The findings of an audit: each has a type, and becomes a message only where it is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from limr.errors import LimrError, Text, Words, write

NAMED = 3  # examples that a message names


class FindingKind(StrEnum):
    """What a finding is about."""

    REWARD_OF_SOLVED = "the highest reward is not 1"
    NOTHING_TO_SCORE = "nothing can be scored"
    INCOMPLETE_CURVES = "prompts without a complete curve"
    ONE_VISIT = "only one visit counts"
    ONE_PROMPT = "only one prompt"
    INTERLEAVED_STEPS = "steps in several places of the log"
    ENDS_BEFORE_LAST_STEP = "the log ends before its last step"
    LARGE_STEPS = "steps with more rollouts than others"
    SHORT_STEPS = "steps with fewer prompts than others"
    MISSING_STEPS = "missing steps"
    REPLAYED_STEPS = "replayed steps"
    STRIDE = "steps that are not consecutive"
    UNEVEN_VISITS = "prompts with different numbers of visits"
    NO_STEPS = "a log without steps"
    PARTIAL_VISITS = "partial visits"
    DUPLICATE_VISITS = "several visits of a prompt at one step"
    MERGED_VISITS = "several groups of a prompt in one epoch"
    LEFT_OUT = "files of rollouts that are not read"
    NO_UNIFORM_GROUP = "no visit with equal rewards"


@dataclass(frozen=True)
class Finding:
    """One thing in a log that the user should check.

    ``text`` is whole sentences, and ``cause`` the error behind them, if there is one. ``number`` counts the prompts,
    visits or steps in question; ``steps`` lists the steps, and ``examples`` names a few of the prompts.

    >>> from limr.errors import Setting
    >>> finding = Finding(FindingKind.NO_STEPS, ["The log has no steps. Leave out ", Setting("steps_per_epoch"), "."])
    >>> finding.render(Words.COMMAND_LINE)
    'The log has no steps. Leave out `--steps-per-epoch`.'
    """

    kind: FindingKind
    text: Text
    number: int = 0
    steps: Sequence[int] = ()
    examples: Sequence[str] = ()
    cause: LimrError | None = None

    def render(self, words: Words = Words.CONFIGURATION) -> str:
        """The finding as one message."""
        message = write(self.text, words)
        return f"{message}: {self.cause.render(words)}" if self.cause else message
