"""The data sets that OpenRLHF reads have the schedule of both engines, with prompts as the model reads them."""

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from places import ROOT
from refusals import refused
from transformers import PreTrainedTokenizerFast

from limr.files.contracts import check
from limr.prompts import prompt_id
from limr.training.miniature.tokenizer import ASSISTANT, CHAT_TEMPLATE, END, USER, build
from limr.training.openrlhf.openrlhf_settings import OpenRLHFSettings
from limr.training.openrlhf.prompt_dataset import schedule, write_development_set, write_training_set
from limr.training.schedule import step_prompts

CONFIGURATION = yaml.safe_load((ROOT / "config" / "openrlhf_test.yaml").read_text(encoding="utf-8"))
OPTIONS = OpenRLHFSettings(**CONFIGURATION["training"], reward_rule="paper")
SEED = 7


def changed(**changes: Any) -> OpenRLHFSettings:
    """The options with ``changes``."""
    return OPTIONS.model_copy(update=changes)


def prompts(number: int) -> pl.DataFrame:
    texts = [f"Compute {n}+{n}." for n in range(number)]
    columns = {"prompt_id": list(map(prompt_id, texts)), "prompt": texts, "answer": [str(2 * n) for n in range(number)],
               "level": 1, "subject": "sums", "source": "here", "gradable": True}  # fmt: skip
    return check(pl.DataFrame(columns), "prompts", "here")


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return PreTrainedTokenizerFast(tokenizer_object=build(), eos_token=END, chat_template=CHAT_TEMPLATE)


def rows(path: Path) -> list[dict[str, Any]]:
    read = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [{"input": row["input"], **json.loads(row["label"])} for row in read]


@pytest.mark.parametrize("number", [1, 5, 8, 20, 100])
def test_the_rows_are_the_schedule_of_both_engines_in_complete_batches(
    tokenizer: Any, tmp_path: Path, number: int
) -> None:
    table = prompts(number)
    write_training_set(table, tokenizer, OPTIONS, SEED, tmp_path / "training.jsonl")
    found = rows(tmp_path / "training.jsonl")
    assert len(found) == OPTIONS.steps * OPTIONS.prompts_per_step  # an incomplete batch would hang
    for step in range(OPTIONS.steps):
        batch = found[step * OPTIONS.prompts_per_step : (step + 1) * OPTIONS.prompts_per_step]
        indices, visits = step_prompts(number, OPTIONS.prompts_per_step, step, SEED)
        assert [(row["id"], row["visit"], row["step"]) for row in batch] == [
            (table["prompt_id"][index], visit, step) for index, visit in zip(indices, visits, strict=True)
        ]
        expected = schedule(table, OPTIONS, SEED, step)
        assert expected.rows() == [(row["id"], row["visit"]) for row in batch]
    visits = defaultdict(list)
    for row in found:
        visits[row["id"]].append(row["visit"])
    assert all(found == list(range(len(found))) for found in visits.values())
    counts = Counter(map(len, visits.values()))
    assert max(counts) - min(counts) <= 1 if len(visits) == number else number > len(found)


def test_a_row_is_the_prompt_in_the_chat_template_with_its_answer(tokenizer: Any, tmp_path: Path) -> None:
    table = prompts(3)
    write_training_set(table, tokenizer, OPTIONS, SEED, tmp_path / "training.jsonl")
    write_development_set(table, tokenizer, OPTIONS, tmp_path / "development.jsonl")
    answers = dict(zip(table["prompt_id"], table["answer"], strict=True))
    texts = {id_: f"{USER}{text}{ASSISTANT}" for id_, text in zip(table["prompt_id"], table["prompt"], strict=True)}
    for split in ("training", "development"):
        for row in rows(tmp_path / f"{split}.jsonl"):
            assert (row["split"], row["answer"], row["input"]) == (split, answers[row["id"]], texts[row["id"]])
    assert [row["id"] for row in rows(tmp_path / "development.jsonl")] == table["prompt_id"].to_list()


def test_the_system_prompt_comes_before_every_prompt(tokenizer: Any, tmp_path: Path) -> None:
    template = "{% for message in messages %}[{{ message['role'] }}]{{ message['content'] }}{% endfor %}[answer]"
    with_system = PreTrainedTokenizerFast(tokenizer_object=tokenizer.backend_tokenizer, chat_template=template)
    options = changed(system_prompt="Box it.", max_prompt_tokens=100)
    write_development_set(prompts(1), with_system, options, tmp_path / "with.jsonl")
    write_development_set(prompts(1), with_system, changed(max_prompt_tokens=100), tmp_path / "without.jsonl")
    assert rows(tmp_path / "with.jsonl")[0]["input"] == "[system]Box it.[user]Compute 0+0.[answer]"
    assert rows(tmp_path / "without.jsonl")[0]["input"] == "[user]Compute 0+0.[answer]"


def test_over_long_prompts_are_refused_and_no_file_is_left(tokenizer: Any, tmp_path: Path) -> None:
    table = prompts(20)
    longest = max(len(tokenizer(text)["input_ids"]) for text in table["prompt"]) + 2  # user and assistant
    write_training_set(table, tokenizer, changed(max_prompt_tokens=longest), SEED, tmp_path / "fits.jsonl")
    with refused(
        what="training prompts are too long",
        where="training.max_prompt_tokens",
        found=f"{longest} tokens in the longest",
        expected=f"at most {longest - 1}",
    ):
        write_training_set(table, tokenizer, changed(max_prompt_tokens=longest - 1), SEED, tmp_path / "cut")
    assert not (tmp_path / "cut").exists()
