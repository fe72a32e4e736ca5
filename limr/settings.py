"""The base class and the types of all settings: strict types, no unknown keys, no NaN or infinity.

An optional setting without another default has the default None. Pydantic does not check defaults, so `setting: null`
in a configuration is still refused.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError


class Settings(BaseModel):
    """Settings from a configuration. They are immutable.

    >>> class Intervals(Settings):
    ...     resamples: Count = Field(description="number of bootstrap resamples")
    >>> Intervals(resamples=3)
    Intervals(resamples=3)
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]  # the range that torch, NumPy and vLLM all accept
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
SomeShare = Annotated[float, Field(gt=0, le=1)]
Text = Annotated[str, Field(min_length=1)]


def refusal(*, what: str = "", expected: str = "", advice: str = "") -> PydanticCustomError:
    """The error that a validator raises, with the parts of a LimrError. Without ``what``, it shows the value found."""
    return PydanticCustomError("refused", "refused", {"what": what, "expected": expected, "advice": advice})
