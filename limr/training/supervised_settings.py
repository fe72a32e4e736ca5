"""The section `supervised`: supervised fine-tuning on few worked solutions, one row of Table 3 each."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from limr.settings import Count, LearningRate, Settings, SomeShare, Text, refusal
from limr.training.openrlhf.openrlhf_settings import Arguments


def _distinct_rates(rates: list[float]) -> list[float]:
    if len(set(rates)) < len(rates):
        raise refusal(expected="no value twice")
    return rates


class WorkedSolutions(Settings):
    """The miniature's own worked solutions of fresh hard problems."""

    source: Literal["miniature"] = Field(
        description="miniature (worked, boxed and right solutions of fresh problems, which are in no other set)"
    )
    levels: Annotated[list[Annotated[int, Field(ge=1, le=5)]], AfterValidator(_distinct_rates)] = Field(
        min_length=1, description="levels of difficulty to draw from, 1 to 5"
    )
    share: SomeShare = Field(
        description="number of problems as a share of `data.train`: that of a method's subset gives as many questions"
    )


class DistilledSolutions(Settings):
    """Published solutions by a stronger model, from the Hugging Face hub or from a local file."""

    source: Literal["limo", "s1k"] = Field(description="limo (GAIR/LIMO, 817) or s1k (simplescaling/s1K, 1,000)")
    revision: str = Field(
        default=None,
        pattern="^[0-9a-f]{40}$",
        description="the commit of the repository, 40 hexadecimal digits; not used with `file`",
    )
    file: Text = Field(default=None, description="a local file with the same rows, instead of the hub")


def _kind_of_solutions(solutions: Any) -> str | None:
    if not isinstance(solutions, Mapping):
        return None
    return "<worked>" if solutions.get("source") == "miniature" else "<distilled>"


class SupervisedRow(Settings):
    """Supervised fine-tuning of the base model: one row of Table 3."""

    solutions: Annotated[
        Annotated[WorkedSolutions, Tag("<worked>")] | Annotated[DistilledSolutions, Tag("<distilled>")],
        Discriminator(
            _kind_of_solutions,
            custom_error_type="refused",
            custom_error_message="refused",
            custom_error_context={"what": "", "expected": "a section with a source", "advice": ""},
        ),
    ] = Field(description="the problems and solutions to train on")
    epochs: Count = Field(description="passes over the solutions")
    batch_size: Count = Field(description="solutions in an optimiser step")
    learning_rates: Annotated[list[LearningRate], AfterValidator(_distinct_rates)] = Field(
        min_length=1,
        description="highest learning rates to try; the best on the development set answers the benchmarks",
    )
    max_tokens: Count = Field(
        default=None,
        description="longest prompt with its solution, in tokens; a longer one stops the run (OpenRLHF only)",
    )
    arguments: Arguments = Field(
        default_factory=dict,
        description="further arguments of OpenRLHF's openrlhf.cli.train_sft by name (OpenRLHF only)",
    )
