"""A subset as the training frameworks read it: one file each, which is read back before it gets its name.

Written to the loaders of OpenRLHF 0.11 (openrlhf/datasets/prompts_dataset.py), verl 0.8 (verl/utils/dataset/
rl_dataset.py, verl/utils/reward_score/__init__.py) and TRL 1.10 (docs/source/dataset_formats.md, trl/rewards/
accuracy_rewards.py).
"""

import io
import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limr.data.source_rows import boxed_answer
from limr.errors import LimrError
from limr.files.atomic import whole_file
from limr.files.rows import STANDARD, Row
from limr.prompts import prompt_id
from limr.subsets.data_set import DataSet, column_of, conversation, user_turn

_MATHEMATICS = re.compile(r"(?<!\\)\$|\\\(|\\\[|\\boxed\b")  # an answer that says itself where its LaTeX begins


@dataclass(frozen=True)
class ExportOptions:
    """What the rows get beside prompt and answer."""

    system: str | None = None  # what the system says before the user
    instruction: str | None = None  # put after every prompt, on a line of its own
    plain: bool = False  # prompts as text, for base models without a chat template, instead of messages
    data_source: str | None = None  # verl: what its reward functions go by; else the rows' own


@dataclass(frozen=True)
class Example:
    """One prompt to train on."""

    number: int
    prompt_id: str
    messages: list[Row]
    answer: str
    data_source: str | None


@dataclass(frozen=True)
class Framework:
    """The file a framework reads."""

    suffix: str
    row: Callable[[Example, bool], Row]  # the second says whether prompts are to be plain text
    usage: str  # how the framework is told of {file}
    chat: str = ""  # and that prompts are messages


def _openrlhf(example: Example, plain: bool) -> Row:
    # --data.apply_chat_template makes messages of a text itself
    alone = plain or len(example.messages) == 1
    prompt = example.messages[0]["content"] if alone else example.messages
    return {"prompt": prompt, "label": example.answer, "prompt_id": example.prompt_id}


def _verl(example: Example, plain: bool) -> Row:
    return {
        "data_source": example.data_source,
        "prompt": example.messages,
        "ability": "math",  # which nothing in verl reads
        "reward_model": {"style": "rule", "ground_truth": example.answer},
        "extra_info": {"split": "train", "index": example.number, "prompt_id": example.prompt_id},
    }


def _trl(example: Example, plain: bool) -> Row:
    # `solution` is what TRL's accuracy_reward asks for, and it finds no LaTeX outside of mathematics: of MATH's bare
    # answers, one in six does not equal itself there. A reward function of one's own gets all columns by name.
    prompt = example.messages[0]["content"] if plain else example.messages
    solution = example.answer if _MATHEMATICS.search(example.answer) else f"${example.answer}$"
    return {"prompt": prompt, "solution": solution, "answer": example.answer, "prompt_id": example.prompt_id}


FRAMEWORKS = {
    "openrlhf": Framework(
        ".jsonl",
        _openrlhf,
        "--data.prompt_dataset {file} --data.input_key prompt --data.label_key label",
        " --data.apply_chat_template",
    ),
    "verl": Framework(".parquet", _verl, "data.train_files={file}"),
    "trl": Framework(".jsonl", _trl, 'load_dataset("json", data_files="{file}", split="train")'),
}


def export(
    data_set: DataSet,
    to: str,
    output: str,
    options: ExportOptions = ExportOptions(),
    columns: dict[str, str] | None = None,
) -> str:
    """Write ``data_set`` as framework ``to`` reads it; what to tell the framework.

    ``columns`` says which columns hold ``prompt`` and ``answer`` where their names are not the usual ones. Rows keep
    their order; columns that the framework does not read are left out. The file gets its name after it was read back
    (by pyarrow, which is what the loaders use) and each row was found in it as it should be.

    Raises LimrError naming the place of a row that has no text as prompt or no answer, and when ``output`` cannot be
    written.
    """
    framework = FRAMEWORKS[to]
    check_export(to, output, options)
    rows = [framework.row(example, options.plain) for example in _examples(data_set, to, options, columns or {})]
    content = _checked(rows, framework.suffix, output)
    _write(content, output)
    return framework.usage.format(file=output) + ("" if options.plain else framework.chat)


def check_export(to: str, output: str, options: ExportOptions) -> None:
    """Raise LimrError where ``export`` could not write ``output`` for framework ``to``, before any work is done."""
    suffix = FRAMEWORKS[to].suffix
    if Path(output).suffix != suffix and (output != STANDARD or suffix == ".parquet"):
        raise LimrError(
            f"{output}: {to} reads {'Parquet' if suffix == '.parquet' else 'JSON Lines'}: name it *{suffix}"
        )
    if options.plain and to == "verl":
        raise LimrError("plain: verl reads messages only, and applies the model's chat template to them")
    if options.plain and options.system is not None:
        raise LimrError("plain: a prompt of plain text has no place for what the system says; put it into the prompts")


def _examples(data_set: DataSet, to: str, options: ExportOptions, columns: dict[str, str]) -> list[Example]:
    prompts = data_set.column(column_of(data_set, "prompt", columns.get("prompt")))
    answer_column = column_of(data_set, "answer", columns.get("answer"))
    answers = data_set.column(answer_column)
    examples = []
    for number, (row, (place, prompt), (_, answer)) in enumerate(zip(data_set.rows, prompts, answers, strict=True)):
        messages = _messages(prompt, place, options)
        if options.plain and len(messages) > 1:
            raise LimrError(f"{place}: prompt: found {len(messages)} messages, and plain text holds the user's only")
        source = options.data_source or row.get("data_source")
        if to == "verl" and not source:
            raise LimrError(
                f"{place}: key 'data_source' is missing: verl chooses the reward function by it. Say which:"
                " --data-source lighteval/MATH (for answers in \\boxed{}), or any name your own reward function knows"
            )
        name = row.get("prompt_id") or prompt_id(user_turn(prompt, place))
        text = _answer(answer, place)
        if answer_column == "solution":
            text = _end_of_solution(text)
        examples.append(Example(number, str(name), messages, text, source))
    return examples


def _messages(prompt: Any, place: str, options: ExportOptions) -> list[Row]:
    messages = [dict(message) for message in conversation(prompt, place)]
    if options.system is not None:
        if messages[0]["role"] == "system":
            raise LimrError(f"{place}: prompt: the system speaks already: {messages[0]['content'][:80]!r}")
        messages.insert(0, {"role": "system", "content": options.system})
    if options.instruction is not None:
        last = next(message for message in reversed(messages) if message["role"] == "user")
        last["content"] = f"{last['content']}\n{options.instruction}"
    return messages


def _answer(answer: Any, place: str) -> str:
    is_answer = isinstance(answer, str | int | float) and not isinstance(answer, bool) and answer != ""
    if not is_answer:
        raise LimrError(
            f"{place}: answer: found {answer!r}, expected text: no response to it could be rewarded."
            " Where the log holds no gold answers, take the data set's rows: limr select SCORES --prompts DATA_SET"
        )
    return str(answer)


def _end_of_solution(text: str) -> str:
    r"""The answer that a worked solution ends with, or that stands in it as TRL has it; else the text itself.

    >>> _end_of_solution(r"Half of $1$ is $\boxed{\frac{1}{2}}$."), _end_of_solution("$2$"), _end_of_solution("7")
    ('\\frac{1}{2}', '2', '7')
    """
    whole = re.fullmatch(r"\s*\$((?:[^$\\]|\\.)+)\$\s*", text)
    return boxed_answer(text) or (whole[1] if whole else text)


def _checked(rows: Sequence[Row], suffix: str, output: str) -> bytes:
    """The file's bytes, after every row was found in them again."""
    import pyarrow as pa
    import pyarrow.json
    import pyarrow.parquet

    try:
        if suffix == ".parquet":
            buffer = io.BytesIO()
            pyarrow.parquet.write_table(pa.Table.from_pylist(rows), buffer)
            content = buffer.getvalue()
            read = pyarrow.parquet.read_table(io.BytesIO(content))
        else:
            content = "".join(json.dumps(row) + "\n" for row in rows).encode("ascii")
            whole = pyarrow.json.ReadOptions(use_threads=False, block_size=max(len(content), 1024))
            read = pyarrow.json.read_json(io.BytesIO(content), whole)
        found = read.to_pylist()
    except (pa.ArrowException, UnicodeEncodeError, TypeError) as error:
        raise LimrError(f"{output}: its loader could not read these rows: {error}") from error
    for number, (row, again) in enumerate(zip(rows, found, strict=True)):
        if row != again:
            raise LimrError(f"{output}: its loader would read row {number} as {str(again)[:200]}, not {str(row)[:200]}")
    return content


def _write(content: bytes, output: str) -> None:
    if output == STANDARD:
        sys.stdout.write(content.decode("ascii"))
        return
    try:
        with whole_file(output) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise LimrError(f"{output}: cannot be written: {error.strerror or error}") from error
