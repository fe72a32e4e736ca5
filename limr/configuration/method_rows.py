"""One selection method: the score that ranks the prompts, the rule that chooses some, and the score's options."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, ValidationError, ValidationInfo, field_validator
from pydantic_core import InitErrorDetails

from limr.configuration.names import unknown
from limr.configuration.probe_options import ProbeSection
from limr.errors import LimrError, suggest
from limr.selection.choose import RULES
from limr.selection.method import check_options, find_method, needs_trajectories, score_names
from limr.selection.options import OptionsError
from limr.settings import Count, Settings, Share, SomeShare, refusal


class KeepTheta(Settings):
    """Keep scores of at least theta."""

    theta: float = Field(description="keep scores of at least theta")


class KeepShare(Settings):
    """Keep the best share of all prompts."""

    share: SomeShare = Field(description="keep the prompts with the best scores, this share of all prompts")


class KeepTop(Settings):
    """Keep a number of the best."""

    top: Count = Field(description="keep this number of prompts, those with the best scores")


class KeepQuantile(Settings):
    """Keep scores at or above a quantile."""

    quantile: Share = Field(description="keep scores at or above this quantile of all scores")


class KeepThetaFor(Settings):
    """Keep scores of at least a theta that is computed from the scores."""

    theta_for: Count = Field(description="keep scores of at least the theta that keeps about this number of prompts")


def _check_rule(keep: Any) -> Any:
    """Return ``keep``. Raises a refusal unless it is `all` or names exactly one rule."""
    expected = f"all, or exactly one of {', '.join(RULES)}"
    if isinstance(keep, Mapping) and len(keep) == 1:
        (name,) = keep
        if name not in RULES:
            raise refusal(expected=expected, advice=suggest(name, RULES))
    elif keep != "all":
        raise refusal(expected=expected)
    return keep


Keep = Annotated[
    Annotated[Literal["all"], Tag("<all>")]
    | Annotated[KeepTheta, Tag("<theta>")]
    | Annotated[KeepShare, Tag("<share>")]
    | Annotated[KeepTop, Tag("<top>")]
    | Annotated[KeepQuantile, Tag("<quantile>")]
    | Annotated[KeepThetaFor, Tag("<theta_for>")],
    Discriminator(lambda keep: f"<{keep if isinstance(keep, str) else next(iter(keep))}>"),
    BeforeValidator(_check_rule),
]


class MethodRow(Settings):
    """One selection method."""

    score: str = Field(description="the score that ranks the prompts: a file in limr/selection/methods")
    keep: Keep = Field(
        description="which prompts to train on: all, {theta: score}, {share: fraction}, {top: number}, "
        "{quantile: fraction} or {theta_for: number}"
    )
    options: dict[str, Any] = Field(default_factory=dict, description="options of the score, e.g. signal: accuracy")
    probe: ProbeSection = Field(
        default=None, description="the part of the probe that is scored; by default every visit of the same seed's"
    )

    @field_validator("score")
    @classmethod
    def _known(cls, score: str) -> str:
        if score not in score_names():
            raise unknown("score", score, score_names())
        return score

    @field_validator("options")
    @classmethod
    def _options_of_the_score(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        score = info.data.get("score")
        problems = list(_option_problems(score, options) if score else [])
        if score and not problems:
            problems = list(_contradictory_options(score, options))
        if problems:
            raise ValidationError.from_exception_data("options", problems)
        return options

    @field_validator("probe")
    @classmethod
    def _for_scores_of_curves(cls, probe: ProbeSection, info: ValidationInfo) -> ProbeSection:
        score = info.data.get("score")
        if score and not needs_trajectories(score):
            raise refusal(what=f"the score {score!r} reads no trajectories of a probe", advice="Remove this section.")
        return probe


def _contradictory_options(score: str, options: Mapping[str, Any]) -> Iterable[InitErrorDetails]:
    try:
        check_options(score, options)
    except OptionsError as error:
        problem = refusal(expected=str(error.expected), advice=str(error.advice))
        value = options.get(error.option, find_method(score).options[error.option].default)
        yield InitErrorDetails(type=problem, loc=(error.option,), input=value)


def _option_problems(score: str, options: Mapping[str, Any]) -> Iterable[InitErrorDetails]:
    """Every option that ``score`` does not have, and every value that an option does not accept."""
    known = find_method(score).options
    for name, value in options.items():
        if name not in known:
            advice = suggest(name, known) if known else "This score has no options."
            error = refusal(what=f"unknown option of score {score!r}", advice=advice)
            yield InitErrorDetails(type=error, loc=(name,), input=value)
            continue
        try:
            known[name].check(value)
        except LimrError:
            yield InitErrorDetails(type=refusal(expected=known[name].expected), loc=(name,), input=value)
