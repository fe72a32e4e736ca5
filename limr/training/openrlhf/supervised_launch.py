"""Supervised fine-tuning with OpenRLHF: the data set, the launch, and the trained model as a Hugging Face directory.

``python -P -m limr.training.openrlhf.supervised_launch GPUS ARGUMENTS...`` lets torch start one process per GPU. Each
runs ``supervised_worker``, which runs the unmodified ``openrlhf.cli.train_sft``. A killed run starts again from
the base model: with some hundred solutions it is short, and every learning rate is a run of its own.
"""

import json
import logging
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from limr.errors import LimrError
from limr.files.atomic import whole_directory, whole_file
from limr.files.contracts import read_parquet
from limr.models.chat_template import chat_texts
from limr.progress import ProgressLines
from limr.training.openrlhf.checkpoints import link_policy
from limr.training.openrlhf.launch import end_with_the_parent
from limr.training.openrlhf.openrlhf_training import check_installation, load_tokenizer
from limr.training.openrlhf.parser import SUPERVISED, installed, parse
from limr.training.openrlhf.supervised_command import OpenRLHFSupervisedRun, SupervisedPaths, supervised_line
from limr.training.openrlhf.supervisor import run

logger = logging.getLogger(__name__)


def fine_tune(settings: Mapping[str, Any], model: Path, solutions: Path, seed: int, work: Path, output: Path) -> None:
    """Train and write the model directory ``output``. The arguments are those of ``limr.training.supervised``.

    ``work`` holds the data set and OpenRLHF's log; a run that fails leaves it.
    """
    options = OpenRLHFSupervisedRun(**settings)
    check_installation()
    table = read_parquet(solutions, "solutions")
    if table.is_empty():
        raise LimrError(where=solutions, found="no solutions", expected="at least one, to train on")
    work = work.absolute()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    paths = SupervisedPaths(model.absolute(), work / "training.jsonl", work / "final_model", work / "tensorboard")
    write_solutions_set(table, load_tokenizer(model), options, paths.training_set)
    line = supervised_line(options, paths, seed)
    parse(line, installed(), SUPERVISED)
    log = work / "logs" / "supervised.log"
    logger.info(
        "supervised fine-tuning on %s solutions, %d epochs, learning rate %g, on %d GPUs; OpenRLHF's own log: %s",
        *(f"{len(table):,}", options.epochs, options.learning_rate, options.gpus_per_node, log),
    )
    environment = {
        "HF_DATASETS_CACHE": str(work / "cache"),
        "HF_HUB_OFFLINE": "1",  # model and data are on this machine's disk
        "TORCH_EXTENSIONS_DIR": os.environ.get("TORCH_EXTENSIONS_DIR") or str(work / "operators"),
    }
    # -P: no Python file in the current folder is imported in place of a module with its name
    command = [sys.executable, "-P", "-m", __name__, str(options.gpus_per_node), *line]
    try:
        run(command, environment, log, ProgressLines("supervised", 1), patience=60 * options.patience_minutes)
    except LimrError as error:
        error.advice = f"Its log: {log}. A run with the same settings starts again."
        raise
    if not (paths.final_model / "config.json").is_file():
        raise LimrError("OpenRLHF ended without a model", advice=f"Its log: {log}.")
    with whole_directory(output) as temporary:
        link_policy(paths.final_model, model, temporary)
    shutil.rmtree(work)


def write_solutions_set(table: pl.DataFrame, tokenizer: Any, options: OpenRLHFSupervisedRun, path: Path) -> None:
    """Write the data set: each prompt as the model reads it, and its solution with the token that ends a response.

    Raises LimrError if a prompt with its solution is too long: OpenRLHF would cut its end.
    """
    prompts = chat_texts(tokenizer, table["prompt"].to_list(), options.system_prompt)
    outputs = [response + tokenizer.eos_token for response in table["response"]]
    texts = [prompt + output for prompt, output in zip(prompts, outputs, strict=True)]
    lengths = [len(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]
    too_long = [row for row, length in enumerate(lengths) if length > options.max_tokens]
    if too_long:
        longest = max(too_long, key=lengths.__getitem__)
        raise LimrError(
            f"{len(too_long):,} of {len(texts):,} prompts with their solutions are too long",
            where="max_tokens",
            found=f"{lengths[longest]:,} tokens in the longest, {table['prompt_id'][longest]}",
            expected=f"at most {options.max_tokens:,}",
            advice="OpenRLHF would cut their end, and with it the answer. Raise max_tokens of this row.",
        )
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
        for prompt, output in zip(prompts, outputs, strict=True):
            stream.write(json.dumps({"input": prompt, "output": output}) + "\n")


def main(arguments: Sequence[str]) -> None:
    """Start one process per GPU, and end with them."""
    from torch.distributed.run import main as start

    end_with_the_parent()
    gpus, *line = arguments
    worker = [sys.executable, "-P", "-m", "limr.training.openrlhf.supervised_worker"]
    start(["--standalone", f"--nproc-per-node={gpus}", "--no-python", *worker, *line])


if __name__ == "__main__":
    main(sys.argv[1:])
