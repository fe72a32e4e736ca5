"""Export a subset to the file that a training framework reads. The file is read back before it gets its final name.

The formats follow the loaders of OpenRLHF 0.11 (openrlhf/datasets/prompts_dataset.py), verl 0.8 (verl/utils/dataset/
rl_dataset.py, verl/utils/reward_score/__init__.py) and TRL 1.10 (docs/source/dataset_formats.md, trl/rewards/
accuracy_rewards.py).
"""

import json
import math
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limr.data.source_rows import boxed_answer
from limr.errors import LimrError, Setting, first_line, shown
from limr.files.atomic import whole_file
from limr.files.rows import STANDARD, Row
from limr.files.strict_json import whole_characters
from limr.prompts import prompt_id
from limr.subsets.conversations import conversation, last_of_user, user_text
from limr.subsets.data_set import DataSet, column_of, id_text, refuse_to_overwrite
from limr.subsets.known_prompts import KnownPrompts

_MATHEMATICS = re.compile(r"(?<!\\)\$|\\\(|\\\[|\\boxed\b")  # an answer with LaTeX delimiters


@dataclass(frozen=True)
class ExportOptions:
    """Options of an export: what is added to the prompts and answers."""

    system: str | None = None  # the system message before the user's
    instruction: str | None = None  # text after every prompt, on a separate line
    plain: bool = False  # prompts as text instead of messages, for base models without a chat template
    data_source: str | None = None  # verl: the name that selects the reward function; default: the row's data_source


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
    """The file that a framework reads."""

    suffix: str
    row: Callable[[Example, bool], Row]  # makes the row of an example; the flag chooses plain text or messages
    usage: str  # the arguments that make the framework read {file}
    chat: str = ""  # further arguments where prompts are messages


def _openrlhf(example: Example, plain: bool) -> Row:
    # a prompt of one message can be text, which --data.apply_chat_template turns into a message
    as_text = plain or len(example.messages) == 1
    prompt = example.messages[0]["content"] if as_text else example.messages
    return {"prompt": prompt, "label": example.answer, "prompt_id": example.prompt_id}


def _verl(example: Example, plain: bool) -> Row:
    return {
        "data_source": example.data_source,
        "prompt": example.messages,
        "ability": "math",  # verl does not read it
        "reward_model": {"style": "rule", "ground_truth": example.answer},
        "extra_info": {"split": "train", "index": example.number, "prompt_id": example.prompt_id},
    }


def _trl(example: Example, plain: bool) -> Row:
    # TRL's accuracy_reward reads `solution`, and finds LaTeX only inside $...$. Without the signs, that function
    # grades one in six of MATH's answers as different from itself. Other reward functions get all columns by name.
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
    """Write ``data_set`` as framework ``to`` reads it, and return the arguments that make the framework read it.

    ``columns`` names the columns of ``prompt`` and ``answer`` if they do not have the usual names. Rows keep their
    order. Columns that the framework does not read are left out. The file is read back with pyarrow, which the loaders
    use. It gets its final name only if every row came back unchanged.

    Raises LimrError with the place of a row that has no text as prompt or no answer, or whose prompt had another answer
    in a row before; or when ``output`` cannot be written.
    """
    framework = FRAMEWORKS[to]
    check_export(to, output, options)
    refuse_to_overwrite(data_set, output)
    rows = [framework.row(example, options.plain) for example in _examples(data_set, to, options, columns or {})]
    content = _checked(rows, framework.suffix, output)
    _write(content, output)
    return framework.usage.format(file=output) + ("" if options.plain else framework.chat)


def check_export(to: str, output: str, options: ExportOptions) -> None:
    """Raise LimrError if ``export`` cannot write ``output`` for framework ``to``, before any work is done."""
    suffix = FRAMEWORKS[to].suffix
    if Path(output).suffix != suffix and (output != STANDARD or suffix == ".parquet"):
        kind = "Parquet" if suffix == ".parquet" else "JSON Lines"
        raise LimrError(f"{to} reads {kind}", where=output, expected=f"a file *{suffix}")
    if options.plain and to == "verl":
        raise LimrError(
            [Setting("plain"), " is not possible"],
            expected="messages",
            advice="verl reads only messages, and applies the model's chat template to them.",
        )
    if options.plain and options.system is not None:
        raise LimrError(
            [Setting("plain"), " and ", Setting("system"), " exclude each other"],
            advice="A plain text has no system message. Put that text into the prompts.",
        )


def _examples(data_set: DataSet, to: str, options: ExportOptions, columns: dict[str, str]) -> list[Example]:
    prompts = data_set.column(column_of(data_set, "prompt", columns.get("prompt")))
    answer_column = column_of(data_set, "answer", columns.get("answer"))
    answers = data_set.column(answer_column)
    examples, known = [], KnownPrompts()
    for number, (row, row_place) in enumerate(zip(data_set.rows, data_set.places, strict=True)):
        (place, prompt), (answer_place, answer) = next(prompts), next(answers)
        text = user_text(prompt, place)
        if not text.strip():
            raise LimrError(where=place, found=shown(text), expected="a prompt that is not blank")
        messages = _messages(prompt, place, options)
        if options.plain and len(messages) > 1:
            raise LimrError(
                where=place,
                found=f"{len(messages)} messages",
                expected=["a single message of the user, because of ", Setting("plain")],
            )
        source = _data_source(row, row_place, options) if to == "verl" else None
        own_id = id_text(row.get("prompt_id"), f"{row_place}: column 'prompt_id'")
        answer_text = _answer(answer, answer_place)
        if answer_column == "solution":
            answer_text = _end_of_solution(answer_text)
        known.add(prompt, own_id, answer_text, row_place)
        examples.append(Example(number, own_id or prompt_id(text), messages, answer_text, source))
    return examples


def _data_source(row: Row, place: str, options: ExportOptions) -> str:
    source = options.data_source or row.get("data_source")
    if source is None or source == "":
        raise LimrError(
            "key 'data_source' is missing; verl needs it to choose the reward function",
            where=place,
            advice=[
                "Set it with ",
                Setting("data_source", "lighteval/MATH"),
                " (for answers in \\boxed{}), or any name that your own reward function accepts.",
            ],
        )
    if not isinstance(source, str):
        raise LimrError(where=(place, "column 'data_source'"), found=shown(source), expected="text")
    return whole_characters(source, f"{place}: column 'data_source'")


def _messages(prompt: Any, place: str, options: ExportOptions) -> list[Row]:
    messages = [dict(message) for message in conversation(prompt, place)]
    for message in messages:
        whole_characters(message["content"], place)
    if options.system is not None:
        if messages[0]["role"] == "system":
            raise LimrError(
                "there is already a system message",
                where=place,
                found=shown(messages[0]["content"], most=80),
                advice=["Leave out ", Setting("system"), "."],
            )
        messages.insert(0, {"role": "system", "content": options.system})
    if options.instruction is not None:
        last = last_of_user(messages)
        last["content"] = f"{last['content']}\n{options.instruction}"
    return messages


def _answer(answer: Any, place: str) -> str:
    is_whole = isinstance(answer, int) and not isinstance(answer, bool)
    is_number = is_whole or (isinstance(answer, float) and math.isfinite(answer))  # an int may be too large for a float
    if not is_number and not (isinstance(answer, str) and answer.strip()):
        raise LimrError(
            where=place,
            found=shown(answer),
            expected="an answer: text or a number",
            advice="No response can be rewarded without an answer. If the log has no gold answers, take the rows of the"
            " data set: `limr select SCORES --prompts DATA_SET`.",
        )
    return whole_characters(str(answer), place)


def _end_of_solution(text: str) -> str:
    r"""The last boxed answer of a worked solution, the content of a text that is one $...$, or else the text itself.

    >>> _end_of_solution(r"Half of $1$ is $\boxed{\frac{1}{2}}$."), _end_of_solution("$2$"), _end_of_solution("7")
    ('\\frac{1}{2}', '2', '7')
    """
    whole = re.fullmatch(r"\s*\$((?:[^$\\]|\\.)+)\$\s*", text)
    return boxed_answer(text) or (whole[1] if whole else text)


def _checked(rows: Sequence[Row], suffix: str, output: str) -> bytes:
    """The bytes of the file, after reading them back has given every row unchanged."""
    import pyarrow as pa
    import pyarrow.json
    import pyarrow.parquet

    try:
        # Arrow's own buffers: its threads may still hold a file object of Python when the process ends, and abort it
        stream = pa.BufferOutputStream()
        if suffix == ".parquet":
            pyarrow.parquet.write_table(pa.Table.from_pylist(rows), stream)
            content = stream.getvalue()
            read = pyarrow.parquet.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
        else:
            stream.write("".join(json.dumps(row) + "\n" for row in rows).encode("ascii"))
            content = stream.getvalue()
            whole = pyarrow.json.ReadOptions(use_threads=False, block_size=max(len(content), 1024))
            read = pyarrow.json.read_json(pa.BufferReader(content), whole)
        found = read.to_pylist()
    except (pa.ArrowException, UnicodeEncodeError, TypeError, OverflowError) as error:
        what = f"the framework's loader cannot read these rows ({first_line(error)})"
        raise LimrError(what, where=output) from error
    for number, (row, again) in enumerate(zip(rows, found, strict=True)):
        if row != again:
            raise LimrError(
                "the framework's loader would change a row",
                where=(output, f"row {number}"),
                found=str(again)[:200],
                expected=str(row)[:200],
            )
    return content.to_pybytes()


def _write(content: bytes, output: str) -> None:
    if output == STANDARD:
        sys.stdout.write(content.decode("ascii"))
        return
    try:
        with whole_file(output) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise LimrError(f"cannot be written ({error.strerror or error})", where=output) from error
