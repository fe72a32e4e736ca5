"""Recognises the format of a log, and which files of a folder belong to it."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from limr.errors import Column, LimrError, Names, Setting, one_line, one_of
from limr.files.contracts import columns
from limr.logs.format import Format
from limr.logs.formats import find_format, formats
from limr.logs.leaving_out import BY_NAME, form, not_read, refuse_unlisted, without_named
from limr.logs.log import COLUMNS, LogOptions
from limr.logs.log_files import by_name, first_keys, log_files, whole_step


@dataclass(frozen=True)
class Found:
    """A log on disk: its format, its files in time order, the step in each name, and the files that are left out."""

    format: Format
    files: list[Path]
    steps: list[int | None]
    left_out: dict[str, str]  # file -> the reason
    on_purpose: list[str]  # those of them that hold rollouts, or that the user has named


@dataclass(frozen=True)
class _FirstRows:
    """The first rows of a folder's files: their keys, or why they cannot be read."""

    path: Path
    options: LogOptions
    keys: dict[Path, frozenset[str]]
    unreadable: dict[Path, LimrError]


def recognise(path: Path, options: LogOptions) -> Found:
    """The format of the log at ``path``, and its files, by the first row of every file.

    Raises LimrError with the file in four cases: one folder holds two formats and none was chosen; no file has a known
    format; a file that looks like a part of the log is empty or truncated; two files hold one step.
    """
    for name in options.columns:
        if name not in COLUMNS:
            raise LimrError(where="columns", found=repr(name), expected=one_of(COLUMNS))
    chosen = find_format(options.format) if options.format else None
    listed = log_files(path)
    kept, named = without_named(path, listed, options.leave_out)
    first_rows = _read_first_rows(path, kept, options)
    of_file = {file: _format_of(keys, options) for file, keys in first_rows.keys.items()}
    if chosen and chosen not in of_file.values():  # the chosen format may read files that look like another format
        of_file |= {file: chosen for file, keys in first_rows.keys.items() if _fit(chosen, keys, options)}
    format_ = chosen or _only_format(first_rows, of_file)
    files = [file for file, found in of_file.items() if found is format_]
    if not files:
        raise _none_fits(first_rows, format_)
    refuse_unlisted(path, listed, files, options.leave_out)
    _refuse_misfits(first_rows, of_file, files, format_)
    left_out = {str(file): BY_NAME for file in named}
    set_aside = _set_aside(format_, files, first_rows.keys)
    left_out |= {
        str(file): f"in the format {found.name}" for file, found in of_file.items() if found not in (None, format_)
    }
    left_out |= set_aside
    on_purpose = list(left_out)
    left_out |= {str(file): _unknown(first_rows.keys[file]) for file, found in of_file.items() if found is None}
    left_out |= {str(file): str(error) for file, error in first_rows.unreadable.items()}
    return _in_order(format_, [file for file in files if str(file) not in set_aside], left_out, on_purpose)


def holds_rollouts(file: Path, options: LogOptions) -> bool:
    """Whether the first row of ``file`` has the keys of a known format."""
    try:
        return _format_of(first_keys(file), options) is not None
    except LimrError:
        return False


def _read_first_rows(path: Path, files: Sequence[Path], options: LogOptions) -> _FirstRows:
    first_rows = _FirstRows(path, options, {}, {})
    for file in files:
        try:
            first_rows.keys[file] = first_keys(file)
        except LimrError as error:
            first_rows.unreadable[file] = error
    return first_rows


def _format_of(keys: frozenset[str], options: LogOptions) -> Format | None:
    """The format of a row: if the row has all keys of several formats, the one with the most keys."""
    fitting = {found.name: _fit(found, keys, options) for found in formats().values()}
    best = max(fitting, key=lambda name: fitting[name])
    return formats()[best] if fitting[best] else None


def _fit(candidate: Format, keys: frozenset[str], options: LogOptions) -> int:
    """How many keys of the format a row has; 0 unless it has all of them."""
    sets = [{options.columns.get(key, key) for key in wanted} for wanted in (candidate.keys, *candidate.other_keys)]
    return max((len(wanted) for wanted in sets if wanted <= keys), default=0)


def _only_format(first_rows: _FirstRows, of_file: dict[Path, Format | None]) -> Format:
    example: dict[str, Path] = {}
    for file, found in of_file.items():
        if found:
            example.setdefault(found.name, file)
    if len(example) > 1:
        found = " and ".join(f"{name} ({file})" for name, file in list(example.items())[:2])
        advice = ["Choose one, ", Setting("format", next(iter(example))), ", or name the folder of one."]
        raise LimrError("it holds files in two formats", where=first_rows.path, found=found, advice=advice)
    if not example:
        raise _none_fits(first_rows, None)
    return formats()[next(iter(example))]


def _none_fits(first_rows: _FirstRows, wanted: Format | None) -> LimrError:
    if not first_rows.keys:
        file, error = next(iter(first_rows.unreadable.items()))
        return error.inside(file)
    file, present = next(iter(first_rows.keys.items()))
    found = f"{_listed(present)} in {one_line(file)}"
    if first_rows.options.columns:
        found += f" ({', '.join(f'{name} is named {key!r}' for name, key in first_rows.options.columns.items())})"
    if wanted:
        expected = f"rows with {_wanted_keys(wanted)}"
        return LimrError(
            f"it has no file in the format {wanted.name}", where=first_rows.path, found=found, expected=expected
        )
    known = "; ".join(f"{name}: {_wanted_keys(known)}" for name, known in formats().items())
    return LimrError(
        "in no known format",
        where=first_rows.path,
        found=found,
        expected=f"the keys of a known format ({known})",
        advice=_name_columns(present, first_rows.options),
    )


def _name_columns(present: frozenset[str], options: LogOptions) -> list[str | Setting]:
    """What to do if the file is a table: name the columns that it lacks under our names or those that were given."""
    lacking = [name for name in ("prompt", "reward") if options.columns.get(name, name) not in present]
    if options.columns.get("prompt_id", "prompt_id") in present:  # then a table needs no prompt
        lacking = ["reward"]
    advice: list[str | Setting] = ["If it is a table with one row per rollout, name its columns: "]
    for name in lacking:
        advice += [Column(name), " "]
    advice[-1] = "."
    mistaken = [repr(key) for name in lacking if (key := options.columns.get(name))]
    if mistaken:
        advice.append(f" It has no column {' or '.join(mistaken)}.")
    return advice


def _wanted_keys(known: Format, options: LogOptions | None = None) -> str:
    named = options.columns if options else {}
    keys = (sorted(named.get(key, key) for key in keys) for keys in (known.keys, *known.other_keys))
    return " or ".join(map(", ".join, keys))


def _refuse_misfits(
    first_rows: _FirstRows, of_file: Mapping[Path, Format | None], files: Sequence[Path], format_: Format
) -> None:
    """Raise LimrError for the first file that looks like a part of the log, but is not in its format.

    Such a file has the ending of the log's files. It is unreadable; or its name differs from one of theirs in numbers
    only; or it has the name of the format in one of their folders; or its first row has half of the keys that all their
    rows have. A file with other keys and another name (metrics, a configuration) is no part of the log.
    """
    path, suffixes, folders = first_rows.path, {file.suffix for file in files}, {file.parent for file in files}
    for file, error in first_rows.unreadable.items():
        if file.suffix in suffixes:
            raise not_read(file, path, error.what, error.advice, error.found, error.expected)
    if len(files) == len(of_file):
        return
    forms = {form(file, path) for file in files}
    common = frozenset.intersection(*(first_rows.keys[file] for file in files))
    misfits = []
    for file, found in of_file.items():
        keys = first_rows.keys[file]
        if found is format_ or file.suffix not in suffixes:
            continue
        named_alike = form(file, path) in forms
        if found is None:
            named_alike |= file.parent in folders and re.fullmatch(format_.files, file.name) is not None
            named_alike |= 2 * len(keys & common) >= len(common) and keys not in _own_files()
        if named_alike:
            misfits.append(file)
    if misfits:
        more = f" ({len(misfits):,} such files)" if len(misfits) > 1 else ""
        what = f"it looks like a part of the log, but its first row does not fit the format {format_.name}{more}"
        raise not_read(
            misfits[0],
            path,
            what,
            found=_listed(first_rows.keys[misfits[0]]),
            expected=_wanted_keys(format_, first_rows.options),
        )


@cache
def _own_files() -> frozenset[frozenset[str]]:
    """The columns of files that `limr score` writes, perhaps beside the log."""
    return frozenset(frozenset(columns(name)) for name in ("scores", "log_prompts", "log_subset", "trajectories"))


def _unknown(keys: frozenset[str]) -> str:
    return f"in no known format: its first row has {_listed(keys, 6)}"


def _listed(keys: frozenset[str], most: int = 12) -> str:
    more = f" and {len(keys) - most:,} more" if len(keys) > most else ""
    return ", ".join(map(one_line, sorted(keys)[:most])) + more or "no keys"


def _set_aside(format_: Format, files: Sequence[Path], keys: Mapping[Path, frozenset[str]]) -> dict[str, str]:
    """The files that a key or name marks as something else, such as validation, unless it marks all."""
    above = len(Path(os.path.commonpath(files)).parts)
    marks = {file: {*keys[file], file.name, *(f"{folder}/" for folder in file.parts[above:-1])} for file in files}
    left_out = {}
    for mark, reason in format_.set_aside.items():
        others = [file for file in files if mark not in marks[file]]
        if others:
            left_out.update({str(file): f"{reason} ({mark!r})" for file in files if mark in marks[file]})
            files = others
    return left_out


def _in_order(format_: Format, files: Sequence[Path], left_out: dict[str, str], on_purpose: list[str]) -> Found:
    """By the step in the name, then by name. Raises LimrError for two files with one name and step."""
    steps = {file: _step(format_, file) for file in files}
    seen: dict[str, Path] = {}
    for file in files:
        other = seen.setdefault(file.name, file)
        if steps[file] is not None and other != file:
            advice = [
                "These are two runs, or training and validation. Name the folder of one of them, or leave one out: ",
                Names("leave_out", "FOLDER"),
                ".",
            ]
            raise LimrError(f"step {steps[file]} is also in {other}", where=file, advice=advice)
    ordered = sorted(files, key=lambda file: (steps[file] is None, steps[file] or 0, by_name(file)))
    return Found(format_, ordered, [steps[file] for file in ordered], left_out, on_purpose)


def _step(format_: Format, file: Path) -> int | None:
    match = re.fullmatch(format_.files, file.name)
    step = match.groupdict().get("step") if match else None
    return None if step is None else whole_step(step, file)
