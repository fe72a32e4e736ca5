"""Damage to the files of a source: values, rows, bytes, whole files, links."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pyarrow

from campaign.plain import data_files, read_table
from campaign.runs import write_rows, write_table

STRANGERS = ("results.csv", "config.json")  # files of a run that are no part of its log
DEEP = "deeply nested"  # stands for JSON that json.dumps cannot write

VALUES: tuple[Any, ...] = (
    float("nan"),
    float("inf"),
    -1e308,
    1e300,
    10**400,
    10**5000,
    2**63,
    -(2**70),
    0.1,
    "",
    " ",
    "1.0",
    "nan",
    "\ud800",
    "\x1b[31mred\x07",
    "\u202eabc\u0000",
    "a" * 5000,
    None,
    True,
    [],
    {},
    [None],
    {"a": 1},
    1.5,
    -1,
    DEEP,
)
COLUMN_TYPES: tuple[Any, ...] = (
    pyarrow.string(),
    pyarrow.large_string(),
    pyarrow.dictionary(pyarrow.int32(), pyarrow.string()),
    pyarrow.float32(),
    pyarrow.float16(),
    pyarrow.int8(),
    pyarrow.uint64(),
    pyarrow.bool_(),
    pyarrow.binary(),
    pyarrow.decimal128(38, 10),
    pyarrow.date32(),
    pyarrow.timestamp("us"),
    pyarrow.null(),
)


def damage(source: Path, draw: Random) -> str:
    """Damage one file of ``source`` at random; returns what was done."""
    files = [file for file in data_files(source) if not file.is_symlink()]
    file = draw.choice(files)
    kinds: list[Callable[[Path, Random], str]] = [_bytes, _bytes, _value, _value, _value, _rows]
    kinds += [_column, _column] if file.suffix in (".csv", ".parquet") else [_key, _value]
    kinds += [_files, _files, _links] if source.is_dir() else []
    return f"{file.name}: {draw.choice(kinds)(file, draw)}"


def _bytes(file: Path, draw: Random) -> str:
    content = file.read_bytes()
    at = draw.randrange(len(content) or 1)
    what, new = draw.choice(
        [
            ("empty", b""),
            ("cut", content[:at]),
            ("cut within the last line", content[: -draw.randint(1, 9)]),
            ("flipped", content[:at] + bytes([content[at] ^ 1 << draw.randrange(8)]) + content[at + 1 :]),
            ("a zero byte", content[:at] + b"\0" + content[at:]),
            ("a byte order mark", b"\xef\xbb\xbf" + content),
            ("CRLF", content.replace(b"\n", b"\r\n")),
            ("not UTF-8", content[:at] + b"\xff\xfe" + content[at:]),
            ("UTF-16", content.decode("utf-8", errors="replace").encode("utf-16")),
            ("twice", content + content),
            ("blank lines", content.replace(b"\n", b"\n\n")),
            ("white space alone", b" \n\n"),
            ("null", b"null"),
        ]
    )
    file.write_bytes(new)
    return f"bytes: {what} at {at}"


def _value(file: Path, draw: Random) -> str:
    """Replace one value, however deep it is, or remove it."""
    rows = _load(file)
    if not rows:
        return "nothing"
    number = draw.randrange(len(rows))
    parent, key = draw.choice(_places(rows[number]))
    if draw.random() < 0.15:
        del parent[key]
        what = f"row {number}: {key!r} removed"
    else:
        parent[key] = draw.choice(VALUES)
        what = f"row {number}: {key!r} is {str(parent[key])[:30]!r}" if _short(parent[key]) else f"{key!r} is huge"
    return what if _save(file, rows) else f"{what} (not possible)"


def _short(value: Any) -> bool:
    return not isinstance(value, int) or abs(value) < 10**100


def _key(file: Path, draw: Random) -> str:
    """Rename or remove a key, in one row or in all."""
    rows = _load(file)
    if not rows or not rows[0]:
        return "nothing"
    key = draw.choice(list(rows[0]))
    new = draw.choice([None, key.upper(), "", f"{key} ", "x\ud800", "a.b"])
    some = rows if draw.random() < 0.6 else [draw.choice(rows)]
    for row in some:
        if key in row:
            value = row.pop(key)
            if new is not None:
                row[new] = value
    _save(file, rows)
    return f"key {key!r} renamed to {new!r} in {len(some)} rows"


def _rows(file: Path, draw: Random) -> str:
    """Remove, repeat or shuffle rows."""
    rows = _load(file)
    if not rows:
        return "nothing"
    at = draw.randrange(len(rows))
    what, new = draw.choice(
        [
            ("removed", rows[:at] + rows[at + 1 :]),
            ("repeated", [*rows[: at + 1], rows[at], *rows[at + 1 :]]),
            ("cut after", rows[: at + 1]),
            ("shuffled", draw.sample(rows, len(rows))),
            ("of another kind", [*rows[:at], 7, *rows[at:]]),
        ]
    )
    return f"row {at} {what}" if _save(file, new) else "nothing"


def _column(file: Path, draw: Random) -> str:
    """Drop, rename or cast a column of a table, or add one."""
    if file.suffix == ".csv":
        return _csv_column(file, draw)
    table = read_table(file)
    column = draw.randrange(table.num_columns)
    name, old = table.column_names[column], table.column(column)
    match draw.randrange(5):
        case 0:
            changed, what = table.remove_column(column), "dropped"
        case 1:
            new = draw.choice([name.upper(), "", "a.b", "\x1b[31m"])
            changed, what = table.rename_columns([new if each == name else each for each in table.column_names]), new
        case 2:
            changed, what = table.append_column(name, old), "twice"
        case _:
            kind = draw.choice(COLUMN_TYPES)
            try:
                changed = table.set_column(column, name, old.cast(kind, safe=False))
            except (pyarrow.ArrowException, ValueError):
                changed = table.set_column(column, name, pyarrow.nulls(len(table), kind))
            what = str(kind)
    write_table(changed, file)
    return f"column {name!r}: {what!r}"


def _csv_column(file: Path, draw: Random) -> str:
    with file.open(encoding="utf-8", newline="") as stream:
        lines = list(csv.reader(stream))
    column = draw.randrange(len(lines[0]))
    name = lines[0][column]
    match draw.randrange(4):
        case 0:
            lines, what = [line[:column] + line[column + 1 :] for line in lines], "dropped"
        case 1:
            what = draw.choice(["", name.upper(), "\x1b[31m", "reward"])
            lines[0][column] = what
        case 2:
            lines, what = [[*line, line[column]] for line in lines], "twice"
        case _:
            line = draw.randrange(1, len(lines)) if len(lines) > 1 else 0
            what = draw.choice(["", " ", "nan", "inf", "1e400", "1_0", "\u0661", "0x1", "1" * 5000, "true", '"', "\0"])
            lines[line][column] = what
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(lines)
    return f"column {name!r}: {what[:20]!r}"


def _files(file: Path, draw: Random) -> str:
    match draw.randrange(8):
        case 0:
            file.unlink()
            return "removed"
        case 1:
            new = draw.choice(["notes.txt", f".{file.name}", f"copy of {file.name}", "99.jsonl", "a\x1b[31m.jsonl"])
            file.rename(file.with_name(new))
            return f"renamed to {new!r}"
        case 2:
            new = draw.choice(
                [f"copy of {file.name}", f"{file.name}.bak", f"0{file.name}", f"{file.stem}_2{file.suffix}"]
            )
            shutil.copy(file, file.with_name(new))
            return f"copied to {new!r}"
        case 3:
            below = file.parent / draw.choice(["backup", "eval", "a b", "[x]", "validation"])
            below.mkdir(exist_ok=True)
            shutil.copy(file, below)
            return f"copied into {below.name!r}"
        case 4:
            write_rows(file.with_name(STRANGERS[0]), [{"name": "a", "value": 1}, {"name": "b", "value": 2}])
            return "a table of something else beside it"
        case 5:
            file.with_name(STRANGERS[1]).write_text(draw.choice(['{"learning_rate": 1}', "[]", "3", "{", "[[[["]))
            return "a file of settings beside it"
        case 6:
            file.with_name(f"empty{file.suffix}").touch()
            return "an empty file beside it"
        case _:
            file.unlink()
            file.mkdir()
            return "a folder instead"


def _links(file: Path, draw: Random) -> str:
    link = file.with_name(draw.choice(["link", "0", f"link{file.suffix}"]))
    target, what = draw.choice(
        [(file, "to it"), (Path("absent.jsonl"), "to nothing"), (file.parent, "to its folder"), (link, "to itself")]
    )
    if not (link.exists() or link.is_symlink()):
        link.symlink_to(target)
    return f"a link {what}"


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every place of a value inside ``value``: its parent, and the key or index."""
    if not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else list(range(min(len(value), 3)))
    return [place for key in keys for place in [(value, key), *_places(value[key])]] or [(value, "new")] * isinstance(
        value, dict
    )


def _load(file: Path) -> list[Any]:
    match file.suffix:
        case ".parquet":
            return read_table(file).to_pylist()
        case ".csv":
            with file.open(encoding="utf-8", newline="") as stream:
                return list(csv.DictReader(stream))
        case ".json":
            rows = json.loads(file.read_text(encoding="utf-8"))
            return rows if isinstance(rows, list) else [rows]
        case _:
            return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def _save(file: Path, rows: list[Any]) -> bool:
    """Write the rows; False if the kind of file cannot hold them."""
    if file.suffix in (".json", ".jsonl"):
        texts = [_json(row) for row in rows]
        if file.suffix == ".json" and len(rows) == 1 and file.read_bytes()[:1] == b"{":  # one object, not a list
            file.write_text(texts[0], encoding="ascii")
        else:
            file.write_text(f"[{', '.join(texts)}]" if file.suffix == ".json" else "".join(f"{t}\n" for t in texts))
        return True
    try:
        write_rows(file.with_name(f"new{file.suffix}"), rows)
    except (pyarrow.ArrowException, TypeError, ValueError, OverflowError, AttributeError, IndexError, csv.Error):
        file.with_name(f"new{file.suffix}").unlink(missing_ok=True)
        return False
    file.with_name(f"new{file.suffix}").replace(file)
    return True


def _json(value: Any) -> str:
    """``value`` as JSON, integers of any length and deep lists included."""
    if value == DEEP and isinstance(value, str):
        return "[" * 3000 + "]" * 3000
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))}: {_json(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_json, value)) + "]"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**100:
        return "1" + "0" * 400 if value < 10**500 else "1" + "0" * 5000
    return json.dumps(value)
