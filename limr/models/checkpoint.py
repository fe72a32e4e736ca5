"""A Hugging Face model directory, loaded for generation or refused with a reason a person can act on."""

from collections.abc import Iterable, Set
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig, PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils import logging as transformers_logging

from limr.errors import LimrError
from limr.models.model_files import INDEX, WEIGHTS, shards


def load_checkpoint(path: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """The causal language model (float32, evaluation mode) and tokenizer (padding left) in directory ``path``.

    Only safetensors weights are read and no code from the directory is ever run.

    Raises LimrError naming ``path`` when it is missing, incomplete, truncated, when its weights are not those of the
    architecture in its config.json, when the tokenizer knows more tokens than the model, has no end token or has no
    chat template.
    """
    path = Path(path)
    _require_files(path)
    model = _load_model(path)
    return model, _fitting_tokenizer(path, model)


def check_checkpoint(path: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """What ``load_checkpoint`` gives, with a model that has shapes and no weights: seconds, whatever its size.

    Raises LimrError as ``load_checkpoint`` does. Weights are looked at by name, shape and length of file alone.
    """
    path = Path(path)
    _require_files(path)
    model = _model_without_weights(path)
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    needed = dict(model.named_parameters()).keys()  # weights that are tied are there once
    found = _shapes_in(path)
    _refuse_other_weights(
        path,
        model,
        mismatched=[(name, found[name], shapes[name]) for name in found.keys() & shapes if found[name] != shapes[name]],
        missing=needed - found.keys(),
        unexpected=found.keys() - shapes,
    )
    return model, _fitting_tokenizer(path, model)


def weight_files(path: Path) -> list[Path]:
    """The safetensors files of a model directory: those that its index names, or the only one."""
    return [path / name for name in (shards(path / INDEX) if (path / INDEX).is_file() else [WEIGHTS])]


def end_tokens(declared: GenerationConfig, tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """Ids of all tokens that end a response: the tokenizer's and those of generation_config.json, sorted."""
    declared = declared.eos_token_id
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
        raise _unreadable(path, error) from error
    # from_pretrained has no error class of its own: a bad config.json surfaces as any of these or of their children
    except Exception as error:
        raise LimrError(
            f"{path}: transformers cannot load it as a causal language model ({_first_line(error)})"
        ) from error
    _refuse_other_weights(
        path, model, report["mismatched_keys"], set(report["missing_keys"]), set(report["unexpected_keys"])
    )
    return model.eval()


def _require_files(path: Path) -> None:
    for name in ("config.json", "tokenizer.json"):
        if not (path / name).is_file():
            raise LimrError(
                f"{path}: no {name}; expected a Hugging Face model directory. Run the stage that makes it again."
            )


def _model_without_weights(path: Path) -> PreTrainedModel:
    try:
        config = AutoConfig.from_pretrained(path, local_files_only=True, trust_remote_code=False)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
        if (path / "generation_config.json").is_file():
            model.generation_config = GenerationConfig.from_pretrained(path, local_files_only=True)
    except Exception as error:  # as above: no error class of its own
        raise LimrError(
            f"{path}: transformers cannot load it as a causal language model ({_first_line(error)})"
        ) from error
    return model


def _shapes_in(path: Path) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every weight, from the headers of the safetensors files."""
    shapes = {}
    for file in weight_files(path):
        if not file.is_file():
            raise LimrError(f"{path}: no {file.name}; its weights are incomplete, or are not safetensors")
        try:
            with safe_open(file, framework="pt") as weights:
                shapes |= {name: tuple(weights.get_slice(name).get_shape()) for name in weights.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise _unreadable(path, error) from error
    return shapes


def _unreadable(path: Path, error: Exception) -> LimrError:
    return LimrError(
        f"{path}: the weights cannot be read ({_first_line(error)}); a safetensors file is truncated or damaged. "
        "Copy or download it again; what a stage made: delete the directory and run the stage again."
    )


def _refuse_other_weights(
    path: Path,
    model: PreTrainedModel,
    mismatched: Iterable[tuple[str, Iterable[int], Iterable[int]]],
    missing: Set[str],
    unexpected: Set[str],
) -> None:
    """Transformers fills missing or misshapen weights with random numbers and only warns: here it is an error."""
    shapes = {name: f"{tuple(found)} where {tuple(wanted)}" for name, found, wanted in mismatched}
    problems = {
        "has the wrong shape": [f"{name} ({shape} is expected)" for name, shape in sorted(shapes.items())],
        "is missing": sorted(missing),
        "is not part of the architecture": sorted(unexpected),
    }
    for problem, names in problems.items():
        if names:
            raise LimrError(
                f"{path}: these are not the weights of the {type(model).__name__} in config.json: "
                f"{names[0]} {problem} ({len(names):,} such weights)"
            )


def _fitting_tokenizer(path: Path, model: PreTrainedModel) -> PreTrainedTokenizerFast:
    tokenizer = _load_tokenizer(path)
    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        raise LimrError(
            f"{path}: the tokenizer knows {len(tokenizer):,} tokens, the model has embeddings for {rows:,}; "
            "the tokenizer belongs to another model"
        )
    return tokenizer


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
