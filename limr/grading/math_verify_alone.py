r"""Plain Math-Verify, without this project's own comparison. It runs in worker processes only.

Gold and answer are parsed as ``\boxed{}`` and compared by ``verify`` with its default precision. verl gives the gold to
Math-Verify in the same way, but the whole response in place of the last box. Two things differ from Math-Verify's
defaults, because a worker has its own limits and nothing may evaluate text as code:

- no time limits, because they need signals. The worker's limit of CPU time ends a comparison;
- no ``ExprExtractionConfig``. It would give arithmetic outside LaTeX to sympy's ``parse_expr``, which evaluates text as
  code. In a box it is a fallback only: it changed one verdict of 796 forms of real golds.
"""

import logging
from functools import lru_cache
from typing import Any

from math_verify import LatexExtractionConfig, parse, verify

_LATEX = [LatexExtractionConfig()]

logging.getLogger("math_verify").setLevel(logging.ERROR)  # it warns that its time limits are off


def compare(gold: str, answer: str) -> bool:
    """Whether Math-Verify calls ``answer`` equal to ``gold``, both LaTeX as in a box.

    >>> compare(r"\\frac{1}{3}", "0.3333333"), compare("4343_6", "4343_7"), compare("11", "12")
    (True, True, False)
    """
    return bool(verify(_parse_gold(gold), _parse(answer), timeout_seconds=None))


def _parse(text: str) -> list[Any]:
    return parse(f"\\boxed{{{text}}}", _LATEX, parsing_timeout=None)


_parse_gold = lru_cache(maxsize=512)(_parse)  # the answers to one problem come one after the other
