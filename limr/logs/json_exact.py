"""JSON rows by the standard library's parser: slow, lenient about unused values, exact about errors.

Why it exists: the fast reader (``json_rows``, measured by ``tests/benchmarks/benchmark_readers.py``) stops at the first
byte that is not strict JSON and does not report which value is wrong. Logs often hold NaN, lone surrogates and bytes
that are not UTF-8, mostly in unused values. When the fast reader stops at a block, this module reads the block again.
It either succeeds, or it names the line, the key and the value that are wrong.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from limr.errors import LimrError, one_line, shown
from limr.files.strict_json import fault

# msgspec's errors have no parts: "Expected `float`, got `str` - at `$.info.reward`"
_PATH = re.compile(r" - at `\$\.?(.*)`$")
_MISSING = re.compile(r"Object missing required field `(.*)`")
_EXPECTED = re.compile(r"Expected `(.*?)`")
_KINDS = {
    "float": "a number", "int": "a whole number", "str": "text", "bool": "true or false",
    "array": "a list", "object": "an object",
}  # fmt: skip

_MOST_DIGITS = 4_000  # Python refuses to convert longer whole numbers; they become infinite


class _Long(float):
    """A whole number with too many digits to be converted."""


DECODER = json.JSONDecoder(parse_int=lambda digits: int(digits) if len(digits) <= _MOST_DIGITS else _Long(digits))
_TOO_DEEP = "lists or objects are nested too deeply"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")  # also a byte that is not UTF-8, see ``decode``


def exact_rows(row: type[msgspec.Struct], text: bytes, file: str, lines_before: int) -> tuple[list[Any], list[int]]:
    """The rows of ``text``, a JSON list or JSON Lines, and the place of each: row from 0, or line of ``text`` from 1.

    ``lines_before`` is the number of lines of ``file`` before ``text``; only messages count them. Raises LimrError with
    file, line or row, key and value of the first row that is not a ``row``.
    """
    rows, places = [], []
    is_list = starts_as_list(text)
    for place, value in enumerate(_list(text, file)) if is_list else _lines(text, file, lines_before):
        try:
            rows.append(_row(row, value))
        except LimrError as error:
            raise error.inside(file, f"row {place}" if is_list else f"line {place + lines_before}") from None
        places.append(place)
    return rows, places


def decode(raw: bytes | msgspec.Raw) -> Any:
    """The value of JSON text; bytes that are not UTF-8 become lone surrogates."""
    return DECODER.decode(bytes(raw).decode("utf-8", errors="surrogateescape"))


def starts_as_list(text: bytes) -> bool:
    """Whether JSON text is a list, not JSON Lines."""
    return text[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")


def _list(text: bytes, file: str) -> list[Any]:
    try:
        return decode(text.removeprefix(_BYTE_ORDER_MARK))
    except (ValueError, RecursionError) as error:
        raise LimrError(_fault(error, len(text)), where=file, expected="a list of objects, [{...}, ...]") from error


def _lines(text: bytes, file: str, lines_before: int) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            yield number, decode(line.removeprefix(_BYTE_ORDER_MARK))
        except (ValueError, RecursionError) as error:
            where = (file, f"line {number + lines_before}")
            raise LimrError(_fault(error, len(line)), where=where, expected="one object a line") from error


def _fault(error: Exception, size: int) -> str:
    if isinstance(error, json.JSONDecodeError):
        at_end = error.pos >= len(error.doc.rstrip()) or "Unterminated" in error.msg
        return f"not JSON ({fault(error)}{'; it is cut short' if at_end else ''})"
    if isinstance(error, RecursionError):
        return f"{_TOO_DEEP} ({size:,} bytes)"
    return f"not JSON ({error}; {size:,} bytes)"


def _row(row: type[msgspec.Struct], value: Any) -> Any:
    """One row as the fast reader decodes it: msgspec checks the values that the format needs, and no others."""
    if not isinstance(value, dict):
        raise LimrError(found=shown(value), expected="an object, {...}")
    try:
        needed = {key: _needed(key, value[key]) for key in row.__struct_encode_fields__ if key in value}
        text = json.dumps(needed, ensure_ascii=False).encode("utf-8", errors="surrogateescape")
        return msgspec.json.decode(text, type=row)
    except msgspec.ValidationError as error:
        raise _explained(str(error), value) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LimrError(found="text that is not UTF-8", where=f"keys {', '.join(needed)}") from error
    except RecursionError as error:
        raise LimrError(_TOO_DEEP) from error


def _needed(key: str, value: Any) -> Any:
    try:
        return _decodable(value)
    except LimrError as error:
        raise error.inside(f"key {key!r}") from None


def _decodable(value: Any) -> Any:
    """``value`` as msgspec accepts it: null for NaN and Infinity, a byte that is not UTF-8 for a lone surrogate.

    Raises LimrError for a whole number with too many digits, which null would hide.
    """
    if isinstance(value, _Long):
        raise LimrError(found=f"a whole number of more than {_MOST_DIGITS:,} digits", expected="fewer digits")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\udcff", value)
    if isinstance(value, dict):
        return {_decodable(key): _decodable(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_decodable(part) for part in value]
    return value


def _explained(message: str, row: dict[str, Any]) -> LimrError:
    """The error for msgspec's ``Expected `float`, got `str` - at `$.info.reward```, with key and value found."""
    path = _PATH.search(message)
    keys = path[1] if path else ""
    if missing := _MISSING.match(message):
        key = f"{keys}.{missing[1]}" if keys else missing[1]
        return LimrError(
            "is missing", where=f"key {key!r}", found=f"the keys {', '.join(map(one_line, list(row)[:8]))}"
        )
    kinds = _EXPECTED.match(message)
    expected = " or ".join(_KINDS.get(kind, kind) for kind in kinds[1].split(" | ")) if kinds else ""
    what = "" if kinds else _PATH.sub("", message)
    return LimrError(what, where=f"key {keys!r}", found=shown(_at(row, keys)), expected=expected)


def _at(value: Any, path: str) -> Any:
    """The value at ``info.turns[0].reward``, or the last value on the way if the path leads no further."""
    for name, number in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        try:
            value = value[int(number)] if number else value[name]
        except (KeyError, IndexError, TypeError):
            return value
    return value
