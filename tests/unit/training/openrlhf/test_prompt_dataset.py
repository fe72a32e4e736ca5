"""The data sets that OpenRLHF reads: the schedule of every engine, rendered as the model reads it."""

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from places import ROOT
from transformers import PreTrainedTokenizerFast

from limr.errors import LimrError
from limr.files.contracts import check
from limr.prompts import prompt_id
from limr.training.miniature.tokenizer import ASSISTANT, CHAT_TEMPLATE, END, USER, build
from limr.training.openrlhf.openrlhf_settings import OpenRLHFSettings
from limr.training.openrlhf.prompt_dataset import schedule, write_development_set, write_training_set
from limr.training.openrlhf.prompt_order import in_order
from limr.training.schedule import step_prompts

CONFIGURATION = yaml.safe_load((ROOT / "config" / "openrlhf_test.yaml").read_text(encoding="utf-8"))
OPTIONS = OpenRLHFSettings(**CONFIGURATION["training"], reward_rule="paper")
SEED = 7


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
def test_the_rows_are_the_schedule_of_all_engines_in_whole_batches(tokenizer: Any, tmp_path: Path, number: int) -> None:
    table = prompts(number)
    write_training_set(table, tokenizer, OPTIONS, SEED, tmp_path / "training.jsonl")
    found = rows(tmp_path / "training.jsonl")
    assert len(found) == OPTIONS.steps * OPTIONS.prompts_per_step  # no partial rollout, which would hang
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
    met = Counter(map(len, visits.values()))
    assert max(met) - min(met) <= 1 if len(visits) == number else number > len(found)


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


def test_the_system_prompt_stands_before_every_prompt(tokenizer: Any, tmp_path: Path) -> None:
    template = "{% for message in messages %}[{{ message['role'] }}]{{ message['content'] }}{% endfor %}[answer]"
    spoken = PreTrainedTokenizerFast(tokenizer_object=tokenizer.backend_tokenizer, chat_template=template)
    options = OPTIONS.model_copy(update={"system_prompt": "Box it.", "max_prompt_tokens": 100})
    write_development_set(prompts(1), spoken, options, tmp_path / "with.jsonl")
    write_development_set(prompts(1), spoken, options.model_copy(update={"system_prompt": None}), tmp_path / "without.jsonl")
    assert rows(tmp_path / "with.jsonl")[0]["input"] == "[system]Box it.[user]Compute 0+0.[answer]"
    assert rows(tmp_path / "without.jsonl")[0]["input"] == "[user]Compute 0+0.[answer]"


def test_over_long_prompts_are_refused_and_no_file_is_left(tokenizer: Any, tmp_path: Path) -> None:
    table = prompts(20)
    longest = max(len(tokenizer(text)["input_ids"]) for text in table["prompt"]) + 2  # user and assistant
    write_training_set(table, tokenizer, OPTIONS.model_copy(update={"max_prompt_tokens": longest}), SEED, tmp_path / "fits.jsonl")
    with pytest.raises(
        LimrError, match=rf"training prompts have more than .*, {longest - 1}, .* has {longest}\. OpenR"
    ):
        write_training_set(table, tokenizer, OPTIONS.model_copy(update={"max_prompt_tokens": longest - 1}), SEED, tmp_path / "cut")
    assert not (tmp_path / "cut").exists()


def test_prompts_come_in_the_order_of_the_rows_whatever_openrlhf_asks_for() -> None:
    class Strategy:
        def __init__(self, seed: int) -> None:
            self.seed = seed

        def setup_dataloader(self, rows, batch_size, pin_memory=False, shuffle=True, collate_fn=None, **others):
            return self.seed, rows, batch_size, pin_memory, shuffle, collate_fn, others

    strategy = in_order(Strategy)(3)
    # as prepare_datasets of OpenRLHF's ppo_trainer.py calls it
    assert strategy.setup_dataloader("rows", 1, True, True, "collate", num_workers=0) == (
        3, "rows", 1, True, False, "collate", {"num_workers": 0}
    )  # fmt: skip
