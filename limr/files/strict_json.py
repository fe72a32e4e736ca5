"""Parses JSON text. Whatever Python's parser would drop or change in silence is an error that names the place.

A lone surrogate is kept, because a response may hold one. ``whole_characters`` refuses it in all other texts.
"""

import json
import math
import sys
from typing import Any

from limr.errors import ContractError, LimrError, counted, shown
from limr.prompts import has_lone_surrogate

MOST_NESTED = 100  # Polars takes seconds to hold 200 levels, and crashes the process at 900


def parse_json(content: bytes, file: str, expected: str, line: int | None = None) -> Any:
    """The JSON value of ``content``, which is one ``line`` of ``file`` or, without ``line``, the whole file.

    Python's NaN and Infinity, lone surrogates and whole numbers of any size are kept as they are. Raises LimrError for
    what is not JSON in UTF-8, for a key that occurs twice in an object, and for a number that does not fit.
    """
    where = (file, line and f"line {line}")
    try:
        value = _DECODER.decode(content.decode("utf-8-sig", errors="surrogatepass"))
    except LimrError as error:
        raise error.inside(*where) from None
    except UnicodeDecodeError as error:
        raise LimrError(f"not UTF-8 (byte {error.start})", where=where, advice=_advice(content)) from error
    except json.JSONDecodeError as error:
        what = f"not JSON ({fault(error)})"
        where = (file, f"line {line or error.lineno}")
        raise LimrError(what, where=where, expected=expected, advice=_advice(content)) from error
    except RecursionError as error:
        raise LimrError(_TOO_DEEP, where=where, expected=expected) from error
    except ValueError as error:  # of int(), which refuses very long numbers
        most = f"at most {sys.get_int_max_str_digits():,} digits"
        raise LimrError("a whole number is too long", where=where, expected=most) from error
    # counting brackets is quick, and few rows have so many
    if content.count(b"[") + content.count(b"{") > MOST_NESTED and _is_too_deep(value):
        raise LimrError(_TOO_DEEP, where=where, expected=expected)
    return value


def whole_characters(text: str, *where: object) -> str:
    """``text`` itself. Raises ContractError if it holds a lone surrogate, which no file in UTF-8 can hold."""
    if has_lone_surrogate(text):
        raise ContractError("a lone surrogate", where=where, found=shown(text, most=80), expected="whole characters")
    return text


def fault(error: json.JSONDecodeError) -> str:
    """What is not JSON, and where. Some of Python's messages end as if the place followed them.

    >>> fault(json.JSONDecodeError("Unterminated string starting at", '{"a', 1))
    'Unterminated string, after 1 character'
    """
    what = error.msg.removesuffix(" at").removesuffix(" starting")
    return f"{what}, after {counted(error.pos, 'character')}"


_TOO_DEEP = f"brackets are nested too deeply (more than {MOST_NESTED} levels)"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise LimrError("a key occurs more than once in an object", found=shown(twice))
    return found


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise LimrError("a number is too large for a 64-bit float", found=text[:40])
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_finite)


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MOST_NESTED):
        containers = [each for each in level if isinstance(each, dict | list)]
        level = [child for each in containers for child in (each.values() if isinstance(each, dict) else each)]
    return any(isinstance(each, dict | list) for each in level)


def _advice(content: bytes) -> str:
    """What to do if ``content`` begins like UTF-16 or UTF-32, which some editors and shells write."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content[:2]:
        return "The file looks like UTF-16. Save it as UTF-8."
    return ""
