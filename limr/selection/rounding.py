"""What score methods share about numbers: options that make sense, and differences that are only rounding."""

import math

from limr.errors import LimrError

DECIMALS = 12  # scores that would be equal, but for the last digits of a mean, are equal
ROUNDING = 1e-12  # two means of the same rewards, added in another order, differ by less than this share of their size


def check_option(method: str, option: str, value: float, lowest: float = -math.inf, highest: float = math.inf) -> None:
    """Raise LimrError naming the option when ``value`` is no finite number from ``lowest`` to ``highest``.

    >>> check_option("mopps", "target", 1.5, lowest=0, highest=1)
    Traceback (most recent call last):
    ...
    limr.errors.LimrError: score 'mopps': option target: found 1.5, expected a number from 0 to 1
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not lowest <= value <= highest:
        limits = "" if math.isinf(lowest) and math.isinf(highest) else f" from {lowest} to {highest}"
        raise LimrError(f"score {method!r}: option {option}: found {value!r}, expected a number{limits}")
