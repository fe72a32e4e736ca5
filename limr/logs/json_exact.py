"""JSON rows by the standard library's parser: slow, lenient about what nobody needs, exact about what is wrong."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from limr.errors import LimrError

_AT = re.compile(r" - at `\$\.?(.*)`$")
_MISSING = re.compile(r"Object missing required field `(.*)`")
_MOST_DIGITS = 4_000
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")  # or a byte that is no UTF-8


def exact_rows(row: type[msgspec.Struct], text: bytes, file: str, lines_before: int) -> tuple[list[Any], list[int]]:
    """The rows of ``text``, a JSON list or JSON Lines, and where each stands: row from 0, or line from 1.

    ``lines_before`` of ``text`` the file has other lines, which count in messages only. Raises LimrError naming file,
    line or row, and key of the first row that is not as ``row`` wants it.
    """
    rows, places = [], []
    is_list = starts_as_list(text)
    found = enumerate(_list(text, file)) if is_list else _lines(text, file, lines_before)
    for place, value in found:
        where = f"{file}: row {place}" if is_list else f"{file}: line {place + lines_before}"
        rows.append(_row(row, value, where))
        places.append(place)
    return rows, places


def load(text: str) -> Any:
    """JSON by the standard library's parser, with a float for a whole number that is too long for Python."""
    return json.loads(text, parse_int=lambda digits: int(digits) if len(digits) <= _MOST_DIGITS else float(digits))


def starts_as_list(text: bytes) -> bool:
    """Whether JSON text is a list, not JSON Lines."""
    return text[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")


def _list(text: bytes, file: str) -> list[Any]:
    try:
        return load(_decoded(text))
    except (ValueError, RecursionError) as error:
        raise LimrError(f"{file}: {_fault(error, len(text))}; expected a list of objects, [{{...}}, ...]") from error


def _lines(text: bytes, file: str, lines_before: int) -> Iterator[tuple[int, Any]]:
    lines = text.split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield number, load(_decoded(line))
        except (ValueError, RecursionError) as error:
            raise LimrError(
                f"{file}: line {number + lines_before}: {_fault(error, len(line))}; expected one object a line"
            ) from error


def _decoded(text: bytes) -> str:
    return text.decode("utf-8-sig", errors="surrogateescape")  # bytes that are no UTF-8 become half characters


def _fault(error: Exception, size: int) -> str:
    if isinstance(error, json.JSONDecodeError):
        at_end = error.pos >= len(error.doc.rstrip()) or "Unterminated" in error.msg
        return f"not JSON ({error.msg}, after {error.pos:,} characters{'; it was cut short' if at_end else ''})"
    return f"not JSON ({error}; {size:,} bytes)"


def _row(row: type[msgspec.Struct], found: Any, where: str) -> Any:
    if not isinstance(found, dict):
        raise LimrError(f"{where}: found {_shown(found)}, expected an object, {{...}}")
    needed = {key: _decodable(found[key]) for key in row.__struct_encode_fields__ if key in found}
    text = json.dumps(needed, ensure_ascii=False).encode("utf-8", errors="surrogateescape")
    try:
        return msgspec.json.decode(text, type=row)
    except msgspec.ValidationError as error:
        raise LimrError(f"{where}: {_explained(error, found)}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LimrError(f"{where}: found text that is not UTF-8 in {', '.join(needed)}") from error


def _decodable(value: Any) -> Any:
    """``value`` as msgspec takes it: null for a number that JSON has no word for, a bad byte for half a character."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return _HALF_CHARACTER.sub("\udcff", value)
    if isinstance(value, dict):
        return {_decodable(key): _decodable(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_decodable(part) for part in value]
    return value


def _explained(error: msgspec.ValidationError, found: dict[str, Any]) -> str:
    """``Expected `float`, got `str` - at `$.info.reward``` with the key and the value."""
    message = str(error)
    path = _AT.search(message)
    keys = path[1] if path else ""
    what = _AT.sub("", message)
    if missing := _MISSING.match(what):
        key = f"{keys}.{missing[1]}" if keys else missing[1]
        present = ", ".join(list(found)[:8])
        return f"key {key!r} is missing; the row has {present}"
    expected = what.split("`")[1].replace("float", "number") if "`" in what else what
    return f"key {keys!r}: found {_shown(_at(found, keys))}, expected {expected}"


def _at(found: Any, path: str) -> Any:
    """The value at ``info.turns[0].reward``; what is there as far as the path leads."""
    for name, number in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        try:
            found = found[int(number)] if number else found[name]
        except (KeyError, IndexError, TypeError):
            return found
    return found


def _shown(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    shown = json.dumps(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
