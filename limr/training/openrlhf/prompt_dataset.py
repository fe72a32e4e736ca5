"""The data sets that OpenRLHF reads: prompts as the model reads them, and labels that come back with each response.

The training set holds the whole run: one row for each visit of a prompt, in the order of the schedule that both engines
follow (``limr.training.schedule``). So every rollout batch is complete, and the step and visit of a rollout are known
before it is generated. OpenRLHF reads the rows once and in order: see ``strategy``.
"""

import json
import logging
from pathlib import Path
from typing import Any

import polars as pl

from limr.errors import LimrError
from limr.files.atomic import whole_file
from limr.models.chat_template import chat_texts
from limr.training.openrlhf.openrlhf_settings import OpenRLHFSettings
from limr.training.openrlhf.records import DEVELOPMENT
from limr.training.schedule import step_prompts

logger = logging.getLogger(__name__)

TRAINING = "training"


def write_training_set(prompts: pl.DataFrame, tokenizer: Any, options: OpenRLHFSettings, seed: int, path: Path) -> None:
    """Write the rows of a whole run over ``prompts`` (contract subset), step after step.

    ``tokenizer``: a transformers tokenizer with a chat template. Raises LimrError if a prompt is too long.
    """
    texts = _texts(prompts, tokenizer, options, TRAINING)
    ids, answers = prompts["prompt_id"].to_list(), prompts["answer"].to_list()
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
        for step in range(options.steps):
            indices, visits = step_prompts(len(ids), options.prompts_per_step, step, seed)
            for index, visit in zip(indices, visits, strict=True):
                label = {"split": TRAINING, "id": ids[index], "answer": answers[index], "step": step, "visit": visit}
                stream.write(_row(texts[index], label))
    visits = options.rows // len(ids)
    logger.info(
        "%s: %s rows, %d steps of %d prompts; each of %s prompts has %d or %d visits",
        *(path.name, f"{options.rows:,}", options.steps, options.prompts_per_step, f"{len(ids):,}", visits, visits + 1),
    )


def write_development_set(prompts: pl.DataFrame, tokenizer: Any, options: OpenRLHFSettings, path: Path) -> None:
    """Write one row for each of ``prompts`` (contract prompts). Raises LimrError if a prompt is too long."""
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
        columns = zip(
            _texts(prompts, tokenizer, options, DEVELOPMENT), prompts["prompt_id"], prompts["answer"], strict=True
        )
        for text, prompt_id, answer in columns:
            stream.write(_row(text, {"split": DEVELOPMENT, "id": prompt_id, "answer": answer}))


def schedule(prompts: pl.DataFrame, options: OpenRLHFSettings, seed: int, step: int) -> pl.DataFrame:
    """The prompts of training step ``step``, in order: columns prompt_id and visit."""
    indices, visits = step_prompts(len(prompts), options.prompts_per_step, step, seed)
    return pl.DataFrame({"prompt_id": prompts["prompt_id"][indices], "visit": pl.Series(visits, dtype=pl.Int64)})


def _row(text: str, label: dict[str, Any]) -> str:
    return json.dumps({"input": text, "label": json.dumps(label)}) + "\n"


def _texts(prompts: pl.DataFrame, tokenizer: Any, options: OpenRLHFSettings, split: str) -> list[str]:
    """The prompts as the model reads them. Raises LimrError if one is too long: OpenRLHF would cut its beginning."""
    texts = chat_texts(tokenizer, prompts["prompt"].to_list(), options.system_prompt)
    lengths = [len(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]
    too_long = [row for row, length in enumerate(lengths) if length > options.max_prompt_tokens]
    if too_long:
        longest = max(too_long, key=lengths.__getitem__)
        raise LimrError(
            f"{len(too_long):,} of {len(texts):,} {split} prompts are too long",
            where="training.max_prompt_tokens",
            found=f"{lengths[longest]:,} tokens in the longest, {prompts['prompt_id'][longest]}",
            expected=f"at most {options.max_prompt_tokens:,}",
            advice="OpenRLHF would cut their beginning. Raise training.max_prompt_tokens, or leave these prompts out "
            "of the data.",
        )
    return texts
