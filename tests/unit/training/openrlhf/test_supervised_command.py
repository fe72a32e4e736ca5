"""OpenRLHF's own parser accepts the command line of supervised fine-tuning; its data set is what the model reads."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from refusals import refused
from transformers import PreTrainedTokenizerFast

from limr.training.openrlhf import VERSION
from limr.training.openrlhf.parser import SUPERVISED, parse
from limr.training.openrlhf.supervised_command import (
    DEFAULTS,
    FORBIDDEN,
    OpenRLHFSupervisedRun,
    SupervisedPaths,
    supervised_line,
)
from limr.training.openrlhf.supervised_launch import write_solutions_set

PATHS = SupervisedPaths(*(Path(name) for name in ("model", "training.jsonl", "final", "tensorboard")))
SETTINGS: dict[str, Any] = {
    "epochs": 15,
    "batch_size": 64,
    "learning_rate": 5e-6,
    "max_tokens": 40,
    "gpus_per_node": 8,
    "zero_stage": 3,
    "offload_optimizer": True,
    "patience_minutes": 30.0,
}
TABLE = pl.DataFrame({"prompt_id": ["a", "b"], "prompt": ["1+1?", "20+2?"], "response": ["2", "\\boxed{22}"]})


def parsed(package: Path, *more: str, **changes: Any) -> SimpleNamespace:
    options = OpenRLHFSupervisedRun(**SETTINGS | changes)
    return parse([*supervised_line(options, PATHS, seed=3), *more], package, SUPERVISED)


def test_the_settings_reach_openrlhf(package: Path) -> None:
    found = parsed(package)
    assert (found.train.max_epochs, found.train.batch_size, found.train.micro_batch_size) == (15, 64, 1)
    assert (found.adam.lr, found.data.max_len, found.train.seed) == (5e-6, 40, 3)
    assert (found.ds.zero_stage, found.ds.adam_offload, found.ds.param_dtype) == (3, True, "bf16")
    assert (found.model.model_name_or_path, found.data.dataset, found.ckpt.output_dir) == (
        "model", "training.jsonl", "final",
    )  # fmt: skip


def test_the_prompt_is_read_as_it_is_written_and_not_trained_on(package: Path) -> None:
    found = parsed(package)
    assert found.data.input_template.format("a {brace}") == "a {brace}"
    assert (found.data.input_key, found.data.output_key) == ("input", "output")
    assert not found.data.apply_chat_template and not found.model.pretrain_mode_enable


def test_arguments_of_the_row_replace_defaults(package: Path) -> None:
    found = parsed(package, arguments={"ds.packing_samples": False, "lr_warmup_ratio": 0.1})
    assert (found.ds.packing_samples, found.lr_warmup_ratio) == (False, 0.1)
    assert set(DEFAULTS) & set(FORBIDDEN) == set()


@pytest.mark.parametrize("wrong", [["--learning_rate", "1e-5"], ["--actor.adam.lr", "1e-5"], ["--train.epochs", "1"]])
def test_names_that_openrlhf_does_not_know_are_refused(package: Path, wrong: list[str]) -> None:
    with refused(what=f"OpenRLHF {VERSION} refuses these arguments: unrecognized arguments: {wrong[0]}"):
        parsed(package, *wrong)


def test_a_row_of_the_data_set_is_the_prompt_in_its_template_and_the_solution_with_its_end(
    tiny_model: Path, tmp_path: Path
) -> None:
    tokenizer = PreTrainedTokenizerFast.from_pretrained(tiny_model)
    write_solutions_set(TABLE, tokenizer, OpenRLHFSupervisedRun(**SETTINGS), tmp_path / "set.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "set.jsonl").read_text().splitlines()]
    assert rows == [
        {"input": "<user>1+1?<assistant>", "output": "2<eos>"},
        {"input": "<user>20+2?<assistant>", "output": "\\boxed{22}<eos>"},
    ]


def test_a_solution_that_openrlhf_would_cut_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    tokenizer = PreTrainedTokenizerFast.from_pretrained(tiny_model)
    length = len(tokenizer("<user>20+2?<assistant>\\boxed{22}<eos>", add_special_tokens=False)["input_ids"])
    options = OpenRLHFSupervisedRun(**SETTINGS | {"max_tokens": length})
    write_solutions_set(TABLE, tokenizer, options, tmp_path / "set.jsonl")
    shorter = options.model_copy(update={"max_tokens": length - 1})
    with refused(
        where="max_tokens", what="1 of 2", found=f"{length} tokens in the longest, b", expected=str(length - 1)
    ):
        write_solutions_set(TABLE, tokenizer, shorter, tmp_path / "shorter.jsonl")
    assert not (tmp_path / "shorter.jsonl").exists()
