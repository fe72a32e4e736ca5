"""Draws one command: its source, its options and its outputs. The same seed and number give the same command."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from campaign.damage import damage
from campaign.formulas import ACCURACY_METHODS, BY_ACCURACY, REWARD_METHODS
from campaign.runs import INSTRUCTION, LOGS, SOURCES, Run, new_run, write_rows, write_scores, write_source

COMMANDS = {
    "score": 30, "audit": 10, "rollouts": 10, "select": 14, "export": 12, "compare": 7, "early": 5, "grade": 9,
    "preflight": 1,
}  # fmt: skip
FOLDERS = (
    "run",
    "a b",
    "[x]*",
    "step_3",
    "a=b",
    "héllo",
    "%41~",
    "red\x1b[31m",
    "new\nline",
    "-o",
    "\udcff",
    "x.jsonl",
)
KEEPS = ("all", "share=0.163", "share=0.5", "top=1", "top=3", "theta=0", "theta=0.6", "quantile=0.84", "theta_for=4")
BAD_NUMBERS = (
    "",
    "0",
    "-1",
    "nan",
    "inf",
    "1e400",
    "1" * 5000,
    "x",
    "\u0661",
    "1_0",
    " 3",
    "0x2",
    "\x1b[31m",
    "\udcff",
)

NOTHING_LEFT = (LookupError, AttributeError, TypeError, ValueError, RecursionError, OSError)  # after other damage


@dataclass
class Case:
    """One command: ``arguments`` for ``limr``, run in ``folder``; what is known about it beforehand."""

    number: int
    folder: Path
    command: str
    run: Run
    arguments: list[str] = field(default_factory=list)
    stdin: bytes = b""
    process: bool = False
    stdout: str | None = None  # a device for standard output of a process
    outputs: dict[str, Path] = field(default_factory=dict)  # what the command may write: name -> path
    kind: str = ""  # of the source
    source: Path | None = None
    options: dict[str, str] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)  # of the input of select, export and grade
    others: list[dict[str, Any]] = field(default_factory=list)  # of the data set of select
    notes: list[str] = field(default_factory=list)  # what is odd about the command: it may be refused

    def __str__(self) -> str:
        return " ".join(["limr", *map(repr, self.arguments)])


def draw_case(seed: int, number: int, folder: Path) -> Case:
    """Draw command ``number`` of a campaign, and write its inputs into ``folder``."""
    draw = Random(f"{seed} {number}")
    command = draw.choices(list(COMMANDS), list(COMMANDS.values()))[0]
    case = Case(number, folder, command, new_run(draw))
    case.process = draw.random() < 0.08
    folder.mkdir(parents=True)
    (folder / "bystander.jsonl").write_text('{"prompt": "1+1?", "answer": "2"}\n')
    _DRAWS[command](case, draw)
    case.arguments.insert(0, command)
    if case.process and draw.random() < 0.2:
        case.stdout = draw.choice(["/dev/full", "/dev/null"])
        case.notes.append(f"standard output is {case.stdout}")
    return case


def _source(case: Case, draw: Random, kinds: tuple[str, ...] = SOURCES) -> None:
    """Write the source, damage it in four cases of ten, and name it in one of several ways."""
    case.kind = draw.choice(kinds)
    folder = case.folder / (draw.choice(FOLDERS) if draw.random() < 0.3 else "run")
    case.source = write_source(case.kind, case.run, folder, draw)
    if "\udcff" in folder.name:
        case.notes.append("a folder that is not UTF-8")
    if draw.random() < 0.15 and case.source.is_file() and case.source.suffix == ".parquet":
        case.source = case.source.rename(folder / "scores.prompts.parquet")  # a name that `limr score` may write
    for _ in range(draw.choice([0, 0, 0, 0, 1, 1, 2])):
        try:
            case.notes.append(damage(case.source, draw))
        except NOTHING_LEFT as error:  # the damage before left nothing to damage
            case.notes.append(f"no damage: {type(error).__name__}")
    name = str(case.source) if draw.random() < 0.3 else os.path.relpath(case.source, case.folder)
    if draw.random() < 0.05:
        link = case.folder / f"link{case.source.suffix if case.source.is_file() else ''}"
        link.symlink_to(case.source)
        name, case.source = link.name, link
    elif draw.random() < 0.04:
        name = draw.choice(["absent", "", "/dev/null", "-", "bystander.jsonl", "."])
        case.notes.append(f"SOURCE is {name!r}")
    case.arguments += ["--", name] if name.startswith("-") and draw.random() < 0.7 else [name]
    if name.startswith("-"):
        case.notes.append("SOURCE begins with a dash")


def _option(case: Case, draw: Random, name: str, good: tuple[str, ...], chance: float, bad: tuple[str, ...]) -> None:
    """Give an option with ``chance``; one in twelve has a wrong value."""
    if draw.random() >= chance:
        return
    value = draw.choice(good)
    if bad and draw.random() < 0.08:
        value = draw.choice(bad)
        case.notes.append(f"{name} {value[:20]!r}")
    case.arguments[:0] = [f"{name}={value}"]
    case.options[name] = value


def _about_source(case: Case, draw: Random) -> None:
    numbered = case.kind in ("own", "trajectories", "one_shot_rlvr")
    before = dict(case.options)
    chance = 0.03 if numbered else 0.15
    _option(case, draw, "--samples", (str(case.run.samples),), chance, BAD_NUMBERS)
    if draw.random() < 0.03:
        _option(case, draw, "--samples", ("1", "2", "3", "99"), 1, ())
    _option(case, draw, "--steps-per-epoch", (str(case.run.steps_per_epoch),), chance, (*BAD_NUMBERS, "1", "2", "50"))
    named = {"one_table": "table", "csv": "table", "parquet": "table"}.get(case.kind, case.kind)
    _option(case, draw, "--format", (named,), chance, ("verl", "x", "", "table", "\x1b[31m"))
    if draw.random() < 0.04:
        pair = draw.choice(["reward=score", "prompt=answer", "reward=", "=x", "odd=x", "step=a.b", "reward=\udcff"])
        case.arguments[:0] = ["--column", pair]
        case.options["--column"] = pair
    others = case.options.get("--samples", str(case.run.samples)) != str(case.run.samples)
    if (numbered and case.options != before) or "--column" in case.options or others:
        case.notes.append("options about a log")


def _visits(case: Case, draw: Random) -> None:
    _option(case, draw, "--visits", tuple(map(str, range(1, case.run.epochs + 1))), 0.2, (*BAD_NUMBERS, "50"))
    if "--visits" in case.options:
        case.notes.append("fewer visits")  # some methods need two, and the last epoch may lack prompts


def _output(case: Case, draw: Random, suffixes: tuple[str, ...], option: str = "-o") -> None:
    """Name an output. ``case.outputs`` gets it only if the command may write it."""
    suffix = draw.choice(suffixes)
    if draw.random() < 0.72:
        name = draw.choice([f"out{suffix}", f"new/deep/out{suffix}", f"a b{suffix}", f"scores{suffix}"])
        if (case.folder / name).exists():
            case.notes.append(f"{option} is an input")
        elif draw.random() < 0.2 and "/" not in name:
            (case.folder / name).write_text("an old file\n")
    elif draw.random() < 0.3 and suffix == ".jsonl":
        case.arguments += [option, "-"]
        return
    else:
        name = _odd_output(case, draw, suffix)
        case.notes.append(f"{option} {name!r}")
    case.arguments += [f"{option}={name}"] if name.startswith("-") and len(option) > 2 else [option, name]
    case.outputs[option] = case.folder / name


def _odd_output(case: Case, draw: Random, suffix: str) -> str:
    """The name of an output that is an input, a folder, a device, a link, ..."""
    inputs = [file for file in case.folder.rglob("*") if file.is_file() and not file.is_symlink()]
    same = [file for file in inputs if file.suffix == suffix] or inputs
    victim = draw.choice(same)
    link = case.folder / f"link to it{suffix}"
    match draw.randrange(14):
        case 0 | 1 | 2:
            return os.path.relpath(victim, case.folder)
        case 3 | 4:
            link.symlink_to(victim)
            return link.name
        case 5:
            os.link(victim, link)
            return link.name
        case 6:
            link.symlink_to(draw.choice(["/dev/full", "/dev/null", "absent/x", link.name]))
            return link.name
        case 7:
            return draw.choice(["/dev/full", "/dev/null", "/dev/stdout", ""])
        case 8:
            (case.folder / f"folder{suffix}").mkdir()
            return f"folder{suffix}"
        case 9:
            return draw.choice(["out.txt", "out", ".jsonl", f"out{suffix.upper()}", f"out{suffix}/"])
        case 10:
            return os.path.relpath(victim.parent / f"out{suffix}", case.folder)
        case 11:
            return f"{os.path.relpath(victim, case.folder)}/out{suffix}"
        case 12:
            return "x" * draw.choice([200, 240, 300]) + suffix
        case _:
            return (
                f"{draw.choice(['red' + chr(27) + '[31m', 'new' + chr(10) + 'line', chr(0xDCFF), '%d{}', '*'])}{suffix}"
            )


def _method(case: Case, draw: Random) -> None:
    if draw.random() < 0.4:
        methods = (*REWARD_METHODS, *BY_ACCURACY, *ACCURACY_METHODS, "rand", "full")
        _option(case, draw, "--method", methods, 1, ("", "LIM", "x", "__init__", "\x1b[31m"))
        case.notes.append("a method that may not fit")
    if draw.random() < 0.2:
        pair = draw.choice(
            ["signal=accuracy", "signal=reward", "missing=next", "best_reward=1.5", "best_reward=nan", "signal=x",
             f"best_reward={'1' * 5000}", "best_reward=1e308", "lowest=0.1", "exploration=2", "x=1", "x", "missing="]
        )  # fmt: skip
        case.arguments[:0] = ["--option", pair]
        case.options["--option"] = pair
        case.notes.append("an option that may not fit")


def _score(case: Case, draw: Random) -> None:
    _source(case, draw)
    _about_source(case, draw)
    _visits(case, draw)
    _method(case, draw)
    bad = (*(f"top={number}" for number in BAD_NUMBERS), "share=0", "share=2", "quantile=-1", "theta=1e400", "x=1", "")
    _option(case, draw, "--keep", KEEPS, 0.7, bad)
    if case.options.get("--keep", "").startswith("theta="):
        case.notes.append("a theta that may select none")
    _option(case, draw, "--seed", ("0", "7"), 0.1, (*BAD_NUMBERS[3:], "9" * 30))
    _output(case, draw, (".parquet", ".jsonl"))
    if draw.random() < 0.04:
        _output(case, draw, (".png",), "--figure")
    if "-o" in case.outputs:
        output = case.outputs["-o"]
        for name in ("audit.md", "audit.json", "prompts.parquet"):
            case.outputs[name] = output.with_suffix(f".{name}") if output.name else output


def _audit(case: Case, draw: Random) -> None:
    _source(case, draw)
    _about_source(case, draw)
    _visits(case, draw)


def _rollouts(case: Case, draw: Random) -> None:
    _source(case, draw, SOURCES if draw.random() < 0.15 else LOGS)
    _about_source(case, draw)
    odd = ("run", "run/below", ".", "old", "bystander.jsonl")
    name = draw.choice(odd if draw.random() < 0.25 else ("converted", "new/converted", "used"))
    target = case.folder / name
    if name in ("old", "used"):
        target.mkdir()
        write_rows(target / ("rollouts_00000.parquet" if name == "used" else "keep.parquet"), [{"a": 1}])
    if name not in ("converted", "new/converted", "used") or case.kind in ("own", "trajectories", "one_shot_rlvr"):
        case.notes.append(f"-o {name}")
    if case.kind in ("open_instruct", "table"):
        case.notes.append("a log without responses")
    case.arguments += ["-o", name]
    case.outputs["-o"] = target


def _compare(case: Case, draw: Random) -> None:
    _source(case, draw)
    _about_source(case, draw)
    _visits(case, draw)
    methods = (
        "lim,rand",
        "lim,cosine,pearson",
        "lim,lim:signal=accuracy",
        "linear,slope,mopps",
        "lim,full,zero_variance",
    )
    _option(
        case,
        draw,
        "--methods",
        methods,
        0.6,
        ("lim", "lim,lim", "", ",", "lim,x", "lim:signal", "lim:signal=", "a\x1b"),
    )
    _option(case, draw, "--top", ("0.163", "0.5", "0.3"), 0.5, (*BAD_NUMBERS, "1", "0.0001"))
    _option(case, draw, "--csv", ("",), 0, ())
    if draw.random() < 0.7:
        case.arguments.insert(0, "--csv")
        case.options["--csv"] = ""
    if "--methods" in case.options:
        case.notes.append("methods that may not fit")


def _early(case: Case, draw: Random) -> None:
    _source(case, draw)
    _about_source(case, draw)
    _visits(case, draw)
    _option(case, draw, "--top", ("0.3", "0.5"), 0.5, (*BAD_NUMBERS, "1", "0.0001"))
    _option(case, draw, "--theta", ("0.6", "0"), 0.3, ("nan", "inf", "x", "1e400"))
    _option(case, draw, "--resamples", ("2",), 0.9, BAD_NUMBERS)
    _option(case, draw, "--seed", ("3",), 0.2, ("-1", "9" * 30, "x"))
    if draw.random() < 0.7:
        case.arguments.insert(0, "--csv")
        case.options["--csv"] = ""
    if draw.random() < 0.05:
        _output(case, draw, (".png",), "--figure")


def _given(case: Case, draw: Random, file: Path) -> str:
    """The name of ``file`` on the command line, or -: the command then reads its content from standard input."""
    if file.suffix == ".jsonl" and draw.random() < 0.2:
        case.stdin = file.read_bytes()
        return "-"
    case.source = file
    return os.path.relpath(file, case.folder)


def _select(case: Case, draw: Random) -> None:
    scores = case.folder / draw.choice(["scores.parquet", "scores.jsonl", "old/scores.parquet", "[s].parquet"])
    scores.parent.mkdir(exist_ok=True)
    companion = draw.random() < 0.8
    case.rows = write_scores(case.run, scores, draw, companion)
    case.options["companion"] = "yes" if companion else ""
    if draw.random() < 0.3:
        case.notes.append(damage(scores, draw))
    if companion and draw.random() < 0.1:
        case.notes.append(damage(scores.with_suffix(".prompts.parquet"), draw))
    name = _given(case, draw, scores)
    if name == "-":
        case.options["companion"] = ""
    bad = (*(f"top={number}" for number in BAD_NUMBERS), "theta_for=0.5", "share=0", "theta=1e400", "top", "")
    _option(case, draw, "--keep", KEEPS, 0.5, bad)
    if "--keep" in case.options:
        case.notes.append("a rule that may select none, or too many")
    if draw.random() < 0.5:
        data = case.folder / f"data{draw.choice(['.jsonl', '.json', '.csv', '.parquet'])}"
        column = draw.choice(["prompt", "question"])
        extra = f" {INSTRUCTION}" if draw.random() < 0.1 else ""
        case.others = [
            {"id": number, column: prompt + extra, "answer": answer, "level": number % 5}
            for number, (prompt, answer) in enumerate(zip(case.run.prompts, case.run.answers, strict=True))
        ]
        draw.shuffle(case.others)
        if draw.random() < 0.1:
            case.others = case.others[2:]
            case.notes.append("prompts are missing in the data set")
        if extra or not case.options["companion"]:
            case.notes.append("prompts that may not be found")
        write_rows(data, case.others)
        if draw.random() < 0.2:
            case.notes.append(damage(data, draw))
        case.arguments += ["--prompts", data.name]
        case.options["--prompts"] = data.name
        if draw.random() < 0.1:
            case.arguments.append("--skip-missing")
            case.options["--skip-missing"] = ""
    case.arguments.append(name)
    _output(case, draw, (".jsonl", ".parquet"))


def _export(case: Case, draw: Random) -> None:
    names = draw.choice([("prompt", "answer"), ("question", "solution"), ("problem", "gold")])
    chat = draw.random() < 0.3
    suffixes = [".jsonl", ".json", ".parquet"] if chat else [".jsonl", ".json", ".csv", ".parquet"]
    data = case.folder / f"data{draw.choice(suffixes)}"
    for prompt, answer in zip(case.run.prompts, case.run.answers, strict=True):
        messages = [{"role": "user", "content": prompt}] if chat else prompt
        case.rows.append({names[0]: messages, names[1]: answer, "data_source": "lighteval/MATH"})
    write_rows(data, case.rows)
    if draw.random() < 0.35:
        case.notes.append(damage(data, draw))
    name = _given(case, draw, data)
    to = draw.choice(["openrlhf", "verl", "trl"])
    case.arguments += [name, "--to", to]
    case.options["--to"] = to
    for flag, chance in (("--plain", 0.2), ("--system", 0.15), ("--instruction", 0.3), ("--data-source", 0.2)):
        if draw.random() < chance:
            value = "" if flag == "--plain" else draw.choice(["Be brief.", "x\ny", "\x1b[31m", "", "\udcff"])
            case.arguments += [flag] if flag == "--plain" else [f"{flag}={value}"]
            case.options[flag] = value
            if flag in ("--plain", "--system") or value in ("", "\udcff"):
                case.notes.append(f"{flag} {value!r}")
    _output(case, draw, (".parquet",) if to == "verl" else (".jsonl",))
    if draw.random() < 0.05:
        case.notes.append("another framework")
        case.arguments += ["--to", draw.choice(["x", "verl", "TRL", ""])]


def _grade(case: Case, draw: Random) -> None:
    file = case.folder / f"rows{draw.choice(['.jsonl', '.json', '.csv', '.parquet'])}"
    names = draw.choice([("gold", "response"), ("answer", "text")])
    for number in range(draw.randint(1, 12)):
        response, verdict = draw.choice(
            [(f"so \\boxed{{{number}}}", "correct"), (f"\\boxed{{{number + 1}}}", "wrong"), (f"{number}", "malformed"),
             (f"\\boxed{{{number}", "malformed"), (f"$\\boxed{{{number}.0}}$", "correct"), ("", "malformed"),
             (f"a\x1b[31m\\boxed{{{number}}}", "correct")]
        )  # fmt: skip
        case.rows.append({names[0]: str(number), names[1]: response, "expected": verdict})
    write_rows(file, case.rows)
    if draw.random() < 0.35:
        case.notes.append(damage(file, draw))
    name = _given(case, draw, file)
    if names[0] != "gold":
        case.arguments += ["--gold", names[0], "--response", names[1]]
    case.arguments.append(name)
    case.options["--response"] = names[1]
    _option(case, draw, "--rule", ("paper", "released_code"), 0.2, ("x", ""))
    if draw.random() < 0.7:
        _output(case, draw, (".jsonl", ".parquet"))


def _preflight(case: Case, draw: Random) -> None:
    case.process = False
    file = case.folder / "mine.yaml"
    text = draw.choice(
        ["methods: {lim: {score: x}}", "[", "seeds: [\x1b]", "", "3", "a: &a [*a]", "seeds: [1" + "0" * 5000]
    )
    file.write_text(text + "]" * text.startswith("seeds: [1"), encoding="utf-8")
    case.notes.append(f"a configuration {text[:20]!r}")
    case.arguments.append(draw.choice([file.name, "absent.yaml", "."]))


_DRAWS = {
    "score": _score, "audit": _audit, "rollouts": _rollouts, "compare": _compare, "early": _early,
    "select": _select, "export": _export, "grade": _grade, "preflight": _preflight,
}  # fmt: skip
