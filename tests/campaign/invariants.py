"""What holds after every command: the inputs, the messages, and the outputs compared with a plain reading."""

import csv
import hashlib
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb, isclose
from pathlib import Path
from typing import Any

from campaign import formulas
from campaign.damage import STRANGERS
from campaign.draws import Case
from campaign.plain import (
    Curves,
    Read,
    UnreadableError,
    UnsureError,
    curves_of_file,
    curves_of_log,
    data_files,
    id_of,
    rollouts_of,
    rows_of,
)
from campaign.runs import NUMBERED

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]")
PLACES = re.compile(
    r"an empty name|line \d|row \d|column|key |option|--\w|standard (in|out)put|prompt |visit |format|samples|step "
    r"|keep|trajectories|methods? |share|preflight|the following arguments|ambiguous|score '|\.: found SOURCE itself",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Result:
    """How a command ended. ``before`` and ``after`` are the digests of all files."""

    status: int | str  # "traceback" or "timeout" where it did not end by itself
    stdout: str
    stderr: str
    before: dict[str, str]
    after: dict[str, str]


Violation = tuple[str, str]  # kind, details


def digests(folder: Path) -> dict[str, str]:
    """Every file, link and folder below ``folder``: a digest of its content."""
    found = {}
    for parent, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            path = Path(parent, name)
            if path.is_symlink():
                found[str(path)] = f"link to {path.readlink()}"
            elif path.is_file():
                found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
            else:
                found[str(path)] = "folder"
    return found


def violations(case: Case, result: Result) -> Iterator[Violation]:
    """Everything that is wrong about a command and its result."""
    yield from _ending(case, result)
    yield from _files(case, result)
    for name, text in (("standard error", result.stderr), ("standard output", result.stdout)):
        if found := CONTROL.search(text):
            at = found.start()
            yield f"control characters on {name}", repr(text[max(0, at - 80) : at + 20])
    if result.status == 0 and case.stdout is None:
        try:
            yield from _AGREE[case.command](case, result)
        except UnsureError:
            pass
        except UnreadableError as error:
            yield "accepted what cannot be read", str(error)[:300]
        except (KeyError, TypeError, ValueError, IndexError, OSError) as error:
            yield "an output that cannot be read", f"{type(error).__name__}: {error}"


def _ending(case: Case, result: Result) -> Iterator[Violation]:
    text = result.stderr.strip()
    if result.status in ("traceback", "timeout") or "Traceback (most recent call last)" in result.stderr:
        lines = [line.strip() for line in text.splitlines()]
        place = next((line for line in reversed(lines) if line.startswith("File ") and "/limr/" in line), "")
        kind = "timeout" if result.status == "timeout" else "traceback"
        yield kind, f"{lines[-1][:200] if lines else ''} ({place[-80:]})"
        return
    if result.status not in (0, 1, 2):
        yield "exit status", f"{result.status}: {text[-300:]}"
    if result.status != 0:
        errors = re.findall(r"^limr(?: \w+: error)?: ", result.stderr, re.MULTILINE)
        if len(errors) != 1:
            yield "not one message", repr(text[-300:])
        message = text[text.rfind("\nlimr") + 1 :]
        names = {*case.arguments, *(Path(name).name for name in [*result.before, *map(str, case.outputs.values())])}
        known = any(form in message for name in names if name for form in _forms(name))
        if not PLACES.search(message) and not known:
            yield "a message without a place", repr(message[-300:])
        if not case.notes:
            yield "a good command was refused", repr(message[-400:])
        elif result.status == 2 and all(re.match(r"[^-].*: ", note) for note in case.notes):
            yield "status 2 for a wrong file", repr(message[-300:])


def _forms(name: str) -> tuple[str, ...]:
    """``name`` as a message may write it."""
    return name, repr(name)[1:-1], json.dumps(name)[1:-1]


def _files(case: Case, result: Result) -> Iterator[Violation]:
    outputs = {str(path) for path in case.outputs.values()}
    folders = {str(parent) for path in case.outputs.values() for parent in path.parents}
    below = tuple(f"{path}{os.sep}" for path in outputs)
    for name, digest in result.before.items():
        if result.after.get(name) != digest:
            is_input = name != str(case.outputs.get("-o")) or _read_by(case, Path(name))
            old = case.command == "rollouts" and name.startswith(below) and "used" in name
            companion = name in outputs and not _read_by(case, Path(name))
            if is_input and not old and not companion:
                yield "an input was changed", f"{os.path.relpath(name, case.folder)}"
    for name in result.after.keys() - result.before.keys():
        relative = os.path.relpath(name, case.folder)
        expected = name in outputs or name in folders or (case.command == "rollouts" and name.startswith(below))
        if not expected or ".partial" in name:
            yield "a file that was left behind", repr(relative)
        elif result.status not in (0,) and result.after[name] != "folder":
            yield "an output of a command that failed", repr(relative)


def _read_by(case: Case, path: Path) -> bool:
    """Whether the command reads ``path``."""
    inputs = [case.source, case.folder / case.options["--prompts"] if "--prompts" in case.options else None]
    inputs.append(case.source.with_suffix(".prompts.parquet") if case.source and case.command == "select" else None)
    real = [Path(os.path.realpath(file)) for file in inputs if file]
    return any(Path(os.path.realpath(path)) == file or file in Path(os.path.realpath(path)).parents for file in real)


def _truth(case: Case, result: Result) -> tuple[Curves, list[Read] | None, int]:
    """The curves of the source, its rollouts, and how many they are. Checks that no file is left out in silence."""
    if case.source is None or any("SOURCE" in note for note in case.notes):
        raise UnsureError("another source")
    if case.kind in NUMBERED:
        curves, number = curves_of_file(case.source, case.kind)
        return curves, None, number
    if "--column" in case.options or case.options.get("--format", "").startswith(("x", "\x1b")):
        raise UnsureError("other columns")
    rollouts: list[Read] = []
    unsure: UnsureError | None = None
    for file in data_files(case.source):
        if _is_left_out(case, result, file):
            continue
        try:
            rollouts += rollouts_of(file, case.kind, {})
        except UnsureError as error:
            unsure = error
        except UnreadableError as error:
            if file.name in STRANGERS or _another_ending(case.source, file):
                continue
            if "Exceeds the limit" in str(error) or "recursion" in str(error):
                unsure = UnsureError(str(error))
                continue
            raise UnreadableError(f"{os.path.relpath(file, case.folder)!r}: {error}") from error
    if unsure is not None:
        raise unsure
    return {}, rollouts, len(rollouts)


def _is_left_out(case: Case, result: Result, file: Path) -> bool:
    """Whether the command says that it did not read this file of a folder."""
    name = os.path.relpath(file, case.source)
    words = result.stderr + result.stdout + _audit_text(case)
    return file != case.source and any(form in words for form in _forms(name))


def _another_ending(source: Path, file: Path) -> bool:
    """Whether all other files of the source have another ending: then an unreadable file is no part of the log."""
    others = [other for other in data_files(source) if other != file and other.name not in STRANGERS]
    return bool(others) and all(other.suffix != file.suffix for other in others)


def _is_told(name: str, result: Result) -> bool:
    return name in STRANGERS or any(form in result.stderr for form in _forms(name))


def _audit_text(case: Case) -> str:
    file = case.outputs.get("audit.json")
    return file.read_text(encoding="utf-8") if file and file.is_file() else ""


def _curves(case: Case, result: Result) -> tuple[Curves, int]:
    curves, rollouts, number = _truth(case, result)
    if rollouts is not None:
        options = [case.options.get(name) for name in ("--steps-per-epoch", "--samples")]
        curves = curves_of_log(rollouts, *(None if option is None else int(option) for option in options))
    return curves, number


def _visits(case: Case) -> int | None:
    return int(case.options["--visits"]) if "--visits" in case.options else None


def _same_number(name: str, found: object, expected: object) -> Iterator[Violation]:
    if found != expected:
        yield f"another number of {name}", f"found {found}, expected {expected}"


def _counted(case: Case, result: Result, prompts: int, rollouts: int) -> Iterator[Violation]:
    """Compare an audit's numbers of prompts and rollouts with those of the source."""
    curves, read, number = _truth(case, result)
    ids = {each.prompt_id for each in read} if read is not None else set(curves)
    yield from _same_number("prompts", prompts, len(ids))
    if _visits(case) is None:
        yield from _same_number("rollouts", rollouts, number)


def _score(case: Case, result: Result) -> Iterator[Violation]:
    output = case.outputs.get("-o")
    rows = rows_of(output) if output else [json.loads(line) for line in result.stdout.splitlines()]
    if output:
        audit = json.loads(_audit_text(case))
        unmentioned = [file for file in audit["left_out"] if not _is_told(Path(file).name, result)]
        if unmentioned:
            yield "a file left out without a word on standard error", repr(unmentioned[0])
        yield from _counted(case, result, audit["prompts"], audit["rollouts"] + audit.get("not_used", 0))
        ids = [row["prompt_id"] for row in rows_of(case.outputs["prompts.parquet"])]
        yield from _same_number("prompts in .prompts.parquet", sorted(ids), sorted(row["prompt_id"] for row in rows))
    ranked = [(row["prompt_id"], row["score"]) for row in rows if row["score"] is not None]
    rank = {row["prompt_id"]: row["rank"] for row in rows}
    best_first = sorted(ranked, key=lambda pair: rank[pair[0]])  # prompts that tie are in any order
    falling = [score for _, score in best_first] == sorted((score for _, score in ranked), reverse=True)
    if not falling or sorted(each for each in rank.values() if each is not None) != [*range(1, len(ranked) + 1)]:
        yield "ranks", "not 1, 2, ... in the order of the scores"
    selected = {row["prompt_id"] for row in rows if row["selected"]}
    wanted = formulas.chosen(best_first, case.options.get("--keep", "share=0.163"), len(rows))
    yield from _same_number("selected prompts", sorted(selected), sorted(wanted))
    if [row for row in rows if bool(row["reason"]) == row["selected"]]:
        yield "reasons", "a prompt that is not selected has no reason, or the other way round"
    yield from _scores(case, result, dict(ranked), {row["prompt_id"] for row in rows})


def _scores(case: Case, result: Result, found: dict[str, float], ids: set[str]) -> Iterator[Violation]:
    curves, _ = _curves(case, result)
    yield from _same_number("prompts with a row", sorted(ids), sorted(curves))
    method = case.options.get("--method", "lim")
    if method in ("rand", "full"):
        yield from _same_number("prompts with a score", sorted(found), sorted(curves))
        return
    wanted = _plain_scores(curves, method, case.options.get("--option", ""), _visits(case))
    yield from _same_number("prompts with a score", sorted(found), sorted(wanted))
    for name in sorted(found.keys() & wanted.keys()):
        if not isclose(found[name], wanted[name], rel_tol=1e-9, abs_tol=1e-9):
            yield f"scores of {method}", f"prompt {name}: found {found[name]!r}, expected {wanted[name]!r}"
            return


def _plain_scores(curves: Curves, method: str, option: str, visits: int | None) -> dict[str, float]:
    name, _, value = option.partition("=")
    known = all(visit.reward is not None for curve in curves.values() for visit in curve)
    by_reward = method in formulas.REWARD_METHODS and known
    signal = value if name == "signal" else "reward" if by_reward else "accuracy"
    missing = value if name == "missing" else "drop"
    values, _ = formulas.complete_curves(curves, signal, visits, missing)
    settings = {name: float(value)} if name in ("best_reward", "lowest", "exploration") else {}
    return formulas.scores_by(method, values, settings)


def _audit(case: Case, result: Result) -> Iterator[Violation]:
    rows = dict(re.findall(r"^\| ([\w ]+?) +\| (.*?) +\|$", result.stdout, re.MULTILINE))
    rollouts = [int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", rows["rollouts"])]
    yield from _counted(case, result, int(rows["prompts"].replace(",", "")), sum(rollouts))


def _rollouts(case: Case, result: Result) -> Iterator[Violation]:
    rows = [row for file in sorted(case.outputs["-o"].glob("*.parquet")) for row in rows_of(file)]
    curves, number = _curves(case, result)
    yield from _same_number("rollouts", len(rows), number)
    sums: dict[tuple[str, int], list[float]] = {}
    for row in rows:
        sums.setdefault((row["prompt_id"], row["visit"]), []).append(row["reward"])
    wanted = {(name, visit.epoch): visit.samples * visit.reward for name, curve in curves.items() for visit in curve}
    yield from _same_number("visits", sorted(sums), sorted(wanted))
    wrong = [key for key in sums.keys() & wanted.keys() if not isclose(sum(sums[key]), wanted[key], abs_tol=1e-9)]
    if wrong:
        yield "sums of rewards", f"{wrong[0]}: found {sum(sums[wrong[0]])}, expected {wanted[wrong[0]]}"


def _compare(case: Case, result: Result) -> Iterator[Violation]:
    if "--csv" not in case.options:
        return
    pairs = list(csv.DictReader(io.StringIO(result.stdout)))
    left_out = result.stderr.count("left out:")
    names = case.options["--methods"].split(",") if "--methods" in case.options else None
    if names:
        yield from _same_number("pairs", [(pair["first"], pair["second"]) for pair in pairs], [*combinations(names, 2)])
    else:
        yield from _same_number("pairs", len(pairs), comb(13 - left_out, 2))
    curves, _ = _curves(case, result)
    number = round(float(case.options.get("--top", "0.163")) * len(curves))
    for pair in pairs:
        try:
            one, other = (
                _plain_scores(curves, *[*pair[side].split(":"), ""][:2], _visits(case)) for side in ("first", "second")
            )
        except UnsureError:
            continue
        yield from _same_number("prompts of a pair", float(pair["prompts"]), len(one.keys() & other.keys()))
        # rounded, so that scores that differ in the last digit alone tie, as they do in exact arithmetic
        tied = [{name: round(score, 10) for name, score in scores.items()} for scores in (one, other)]
        correlation = formulas.spearman(*tied)
        close = [("overlap", formulas.overlap(*tied, number)), ("spearman", correlation)]
        for measure, wanted in close:
            found = float(pair[measure]) if pair[measure] else None
            if found is None and measure == "overlap" and any(len(set(scores.values())) == 1 for scores in tied):
                continue  # a method that gives every prompt the same score has no best prompts
            if (found is None) != (wanted is None) or (found is not None and abs(found - wanted) > 2e-6):
                yield f"{measure} of a pair", f"{pair}: expected {wanted}"


def _early(case: Case, result: Result) -> Iterator[Violation]:
    if "--csv" not in case.options:
        return
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    curves, _ = _curves(case, result)
    full = _plain_scores(curves, "lim", "", _visits(case))
    yield from _same_number("visits", [int(row["visits"]) for row in rows], [*range(1, len(rows) + 1)])
    yield from _same_number("prompts with a score", int(rows[-1]["scored"]), len(full))


def _select(case: Case, result: Result) -> Iterator[Violation]:
    if any((":" in note and "row" in note) or "bytes" in note for note in case.notes):
        raise UnsureError("a damaged table")  # what the damage means for the rows is checked by `score`
    output = case.outputs.get("-o")
    rows = rows_of(output) if output else [json.loads(line) for line in result.stdout.splitlines()]
    ranked = [(row["prompt_id"], row["score"]) for row in case.rows if row["score"] is not None]
    selected = {row["prompt_id"] for row in case.rows if row["selected"]}
    if "--keep" in case.options:
        selected = formulas.chosen(ranked, case.options["--keep"], len(case.rows))
    if "--prompts" not in case.options:
        yield from _same_number(
            "selected prompts", [row["prompt_id"] for row in rows], [name for name, _ in ranked if name in selected]
        )
        return
    if case.notes and any("data" in note or "prompts" in note for note in case.notes):
        raise UnsureError("a data set that lacks prompts")
    column = "prompt" if "prompt" in case.others[0] else "question"
    wanted = [row for row in case.others if id_of(row[column]) in selected]
    if case.options["--prompts"].endswith(".csv"):
        wanted = [{key: str(value) for key, value in row.items()} for row in wanted]
    yield from _same_number("rows of the data set", rows, wanted)


def _export(case: Case, result: Result) -> Iterator[Violation]:
    if any("data." in note or "another" in note for note in case.notes):
        raise UnsureError("a damaged table")
    output = case.outputs.get("-o")
    rows = rows_of(output) if output else [json.loads(line) for line in result.stdout.splitlines()]
    keys = list(case.rows[0])
    found = [_exported(row, case.options["--to"]) for row in rows]
    after = f"\n{case.options['--instruction']}" if "--instruction" in case.options else ""
    texts = [row[keys[0]] if isinstance(row[keys[0]], str) else row[keys[0]][0]["content"] for row in case.rows]
    wanted = [(text + after, row[keys[1]]) for text, row in zip(texts, case.rows, strict=True)]
    yield from _same_number("rows", found, wanted)


def _exported(row: dict[str, Any], to: str) -> tuple[str, str]:
    prompt = row["prompt"] if isinstance(row["prompt"], str) else row["prompt"][-1]["content"]
    return prompt, {"openrlhf": row.get("label"), "trl": row.get("answer")}.get(to) or row["reward_model"][
        "ground_truth"
    ]


def _grade(case: Case, result: Result) -> Iterator[Violation]:
    if case.notes and any("rows." in note for note in case.notes):
        raise UnsureError("a damaged table")
    output = case.outputs.get("-o")
    rows = rows_of(output) if output else [json.loads(line) for line in result.stdout.splitlines()]
    verdicts = ["correct" if row["correct"] else "wrong" if row["formatted"] else "malformed" for row in rows]
    wanted = [row["expected"] for row in case.rows]
    yield from _same_number("verdicts", verdicts, wanted)
    yield from _same_number("rows", [row["expected"] for row in rows], wanted)
    numbers = [wanted.count(verdict) for verdict in ("correct", "wrong", "malformed")]
    summary = re.search(r"(\d+) responses?: (\d+) correct .*?, (\d+) wrong, (\d+) malformed", result.stderr)
    yield from _same_number("graded responses", summary and list(map(int, summary.groups())), [len(rows), *numbers])


def _preflight(case: Case, result: Result) -> Iterator[Violation]:
    return iter(())


_AGREE: dict[str, Callable[[Case, Result], Iterator[Violation]]] = {
    "score": _score, "audit": _audit, "rollouts": _rollouts, "compare": _compare, "early": _early,
    "select": _select, "export": _export, "grade": _grade, "preflight": _preflight,
}  # fmt: skip
