"""A Hugging Face model directory, loaded for generation or refused with a reason a person can act on."""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils import logging as transformers_logging

from limr.errors import LimrError


def load_checkpoint(path: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """The causal language model (float32, evaluation mode) and tokenizer (padding left) in directory ``path``.

    Only safetensors weights are read and no code from the directory is ever run.

    Raises LimrError naming ``path`` when it is missing, incomplete, truncated, when its weights are not those of the
    architecture in its config.json, when the tokenizer knows more tokens than the model, has no end token or has no
    chat template.
    """
    path = Path(path)
    for name in ("config.json", "tokenizer.json"):
        if not (path / name).is_file():
            raise LimrError(
                f"{path}: no {name}; expected a Hugging Face model directory. Run the stage that makes it again."
            )
    model = _load_model(path)
    tokenizer = _load_tokenizer(path)
    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        raise LimrError(
            f"{path}: the tokenizer knows {len(tokenizer):,} tokens, the model has embeddings for {rows:,}; "
            "the tokenizer belongs to another model"
        )
    return model, tokenizer


def end_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """Ids of all tokens that end a response: the tokenizer's and those of generation_config.json, sorted."""
    declared = model.generation_config.eos_token_id
    declared = declared if isinstance(declared, list) else [declared]
    return sorted({token for token in [*declared, tokenizer.eos_token_id] if token is not None})


def _load_model(path: Path) -> PreTrainedModel:
    transformers_logging.disable_progress_bar()  # two jobs can share a terminal
    try:
        model, report = AutoModelForCausalLM.from_pretrained(
            path,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # reported below, with the first weight named
            output_loading_info=True,
        )
    except SafetensorError as error:
        raise LimrError(
            f"{path}: the weights cannot be read ({_first_line(error)}); a safetensors file is truncated or damaged. "
            "Delete the directory and run the stage that makes it again."
        ) from error
    # from_pretrained has no error class of its own: a bad config.json surfaces as any of these or of their children
    except Exception as error:
        raise LimrError(
            f"{path}: transformers cannot load it as a causal language model ({_first_line(error)})"
        ) from error
    _refuse_other_weights(path, model, report)
    return model.eval()


def _refuse_other_weights(path: Path, model: PreTrainedModel, report: dict[str, Any]) -> None:
    """Transformers fills missing or misshapen weights with random numbers and only warns: here it is an error."""
    mismatched = {name: f"{tuple(found)} where {tuple(wanted)}" for name, found, wanted in report["mismatched_keys"]}
    problems = {
        "has the wrong shape": [f"{name} ({shapes} is expected)" for name, shapes in sorted(mismatched.items())],
        "is missing": sorted(report["missing_keys"]),
        "is not part of the architecture": sorted(report["unexpected_keys"]),
    }
    for problem, names in problems.items():
        if names:
            raise LimrError(
                f"{path}: these are not the weights of the {type(model).__name__} in config.json: "
                f"{names[0]} {problem} ({len(names):,} such weights)"
            )


def _load_tokenizer(path: Path) -> PreTrainedTokenizerFast:
    try:
        # not AutoTokenizer: for model type qwen2 it replaces tokenizer.json's splitting by Qwen's (transformers 5.23)
        tokenizer = PreTrainedTokenizerFast.from_pretrained(path, padding_side="left", local_files_only=True)
    except Exception as error:  # as above: no error class of its own
        raise LimrError(f"{path}: the tokenizer cannot be read ({_first_line(error)})") from error
    if tokenizer.eos_token_id is None:
        raise LimrError(f"{path}: the tokenizer has no eos_token, so no response could ever end")
    if tokenizer.chat_template is None:
        raise LimrError(f"{path}: the tokenizer has no chat template; training and evaluation put prompts through one")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
