"""The base class and the types of all settings: strict types, no unknown keys, no NaN or infinity.

An optional setting without another default has the default None. Pydantic does not check defaults, so `setting: null`
in a configuration is still refused.
"""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError


class Settings(BaseModel):
    """Settings from a configuration. They are immutable.

    >>> class Intervals(Settings):
    ...     resamples: Count = Field(description="number of bootstrap resamples")
    >>> Intervals(resamples=3)
    Intervals(resamples=3)
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


LOWEST_TEMPERATURE = 0.01  # vLLM samples at 0.01 when a lower one is set


def refusal(*, what: str = "", expected: str = "", advice: str = "") -> PydanticCustomError:
    """The error that a validator raises, with the parts of a LimrError. Without ``what``, it shows the value found."""
    return PydanticCustomError("refused", "refused", {"what": what, "expected": expected, "advice": advice})


def _in_float32(value: float) -> float:
    """Return ``value``. Raises a refusal when it, or its square, is 0 or infinite in float32, as models compute."""
    if value and not 1e-12 <= abs(value) <= 1e12:
        raise refusal(expected="a number from 1e-12 to 1e12")
    return value


def _printable(text: str) -> str:
    """Return ``text``. Raises a refusal if it is blank, or holds a line break, a control or an invisible character."""
    if not text.isprintable() or text != text.strip():
        raise refusal(expected="one line of visible text, without white space at its ends")
    return text


Count = Annotated[int, Field(ge=1, lt=2**31)]  # libraries count in 32 bits
Seed = Annotated[int, Field(ge=0, lt=2**31)]  # the range that torch, NumPy and vLLM all accept
Threads = Annotated[int, Field(ge=1, le=1024)]  # torch crashes when the machine cannot start so many
Positive = Annotated[float, Field(gt=0), AfterValidator(_in_float32)]
NotNegative = Annotated[float, Field(ge=0), AfterValidator(_in_float32)]
LearningRate = Annotated[float, Field(gt=0, le=1)]
Temperature = Annotated[float, Field(ge=LOWEST_TEMPERATURE, le=100)]
Share = Annotated[float, Field(ge=0, le=1)]
SomeShare = Annotated[float, Field(gt=0, le=1), AfterValidator(_in_float32)]
Text = Annotated[str, Field(min_length=1)]
Line = Annotated[Text, AfterValidator(_printable)]
