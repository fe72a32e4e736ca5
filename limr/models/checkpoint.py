"""Load a Hugging Face model directory for generation, or raise an error that explains the problem and the remedy."""

from collections.abc import Iterable, Iterator, Set
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig, PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils import logging as transformers_logging

from limr.errors import LimrError, first_line
from limr.models.model_files import INDEX, WEIGHTS, shards


def load_checkpoint(path: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """The causal language model (float32, evaluation mode) and tokenizer (padding left) in directory ``path``.

    Only safetensors weights are read, and no code from the directory runs.

    Raises LimrError naming ``path`` if

    - the directory or one of its files is missing, or a file is truncated;
    - the weights do not belong to the architecture in its config.json;
    - the tokenizer has more tokens than the model, no end token, or no chat template.
    """
    path = Path(path)
    with _errors_inside(path):
        _require_files(path)
        model = _load_model(path)
        return model, _fitting_tokenizer(path, model)


def check_checkpoint(path: Path, where: object = None) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Like ``load_checkpoint``, but the model has shapes and no weights. Takes seconds for a model of any size.

    Raises the errors of ``load_checkpoint``: of the weights, it checks names, shapes and file lengths. ``where`` names
    the directory in these errors, instead of ``path``.
    """
    path = Path(path)
    with _errors_inside(where or path):
        _require_files(path)
        model = _model_without_weights(path)
        expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
        required = dict(model.named_parameters()).keys()  # lists tied weights once
        found = _shapes_in(path)
        common = found.keys() & expected
        _refuse_other_weights(
            model,
            mismatched=[(name, found[name], expected[name]) for name in common if found[name] != expected[name]],
            missing=required - found.keys(),
            unexpected=found.keys() - expected,
        )
        return model, _fitting_tokenizer(path, model)


def weight_files(path: Path) -> list[Path]:
    """The safetensors files of a model directory: those that its index lists, or the only one."""
    return [path / name for name in (shards(path / INDEX) if (path / INDEX).is_file() else [WEIGHTS])]


def end_tokens(declared: GenerationConfig, tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """The ids of all tokens that end a response, sorted: the tokenizer's and those of generation_config.json."""
    declared = declared.eos_token_id
    declared = declared if isinstance(declared, list) else [declared]
    return sorted({token for token in [*declared, tokenizer.eos_token_id] if token is not None})


@contextmanager
def _errors_inside(where: object) -> Iterator[None]:
    """Put the name of the model directory in front of the places of an error."""
    try:
        yield
    except LimrError as error:
        raise error.inside(where) from error.__cause__


def _require_files(path: Path) -> None:
    for name in ("config.json", "tokenizer.json"):
        if not (path / name).is_file():
            raise LimrError(
                f"no {name}",
                expected="a Hugging Face model directory",
                advice="If a stage of the workflow made the directory, run that stage again.",
            )


def _load_model(path: Path) -> PreTrainedModel:
    transformers_logging.disable_progress_bar()  # its lines would mix with those of another job on the same terminal
    try:
        model, report = AutoModelForCausalLM.from_pretrained(
            path,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # checked below, where the error names the first such weight
            output_loading_info=True,
        )
    except SafetensorError as error:
        raise _unreadable(error) from error
    # from_pretrained has no specific error class: a bad config.json raises any of many classes
    except Exception as error:
        raise _not_a_language_model(error) from error
    _refuse_other_weights(model, report["mismatched_keys"], set(report["missing_keys"]), set(report["unexpected_keys"]))
    return model.eval()


def _model_without_weights(path: Path) -> PreTrainedModel:
    try:
        config = AutoConfig.from_pretrained(path, local_files_only=True, trust_remote_code=False)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
        if (path / "generation_config.json").is_file():
            model.generation_config = GenerationConfig.from_pretrained(path, local_files_only=True)
    except Exception as error:  # no specific error class, as above
        raise _not_a_language_model(error) from error
    return model


def _shapes_in(path: Path) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every weight, from the headers of the safetensors files."""
    shapes = {}
    for file in weight_files(path):
        if not file.is_file():
            raise LimrError(f"no {file.name}", expected="all weights as safetensors")
        try:
            with safe_open(file, framework="pt") as weights:
                shapes |= {name: tuple(weights.get_slice(name).get_shape()) for name in weights.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise _unreadable(error) from error
    return shapes


def _unreadable(error: Exception) -> LimrError:
    return LimrError(
        f"the weights cannot be read, a safetensors file is truncated or damaged ({first_line(error)})",
        advice="Copy or download the file again. If a stage of the workflow made the directory, delete the directory"
        " and run that stage again.",
    )


def _not_a_language_model(error: Exception) -> LimrError:
    return LimrError(f"transformers cannot load it as a causal language model ({first_line(error)})")


def _refuse_other_weights(
    model: PreTrainedModel,
    mismatched: Iterable[tuple[str, Iterable[int], Iterable[int]]],
    missing: Set[str],
    unexpected: Set[str],
) -> None:
    """Raise LimrError if the weights are not exactly those of ``model``.

    Transformers only warns, and fills missing or misshapen weights with random numbers.
    """
    shapes = [f"{name}, {tuple(found)} instead of {tuple(shape)}" for name, found, shape in sorted(mismatched)]
    problems = {
        "has the wrong shape": shapes,
        "is missing": sorted(missing),
        "is not part of the architecture": sorted(unexpected),
    }
    for problem, names in problems.items():
        if names:
            raise LimrError(
                f"a weight {problem} ({names[0]}; {len(names):,} such weights)",
                expected=f"the weights of the {type(model).__name__} in config.json",
            )


def _fitting_tokenizer(path: Path, model: PreTrainedModel) -> PreTrainedTokenizerFast:
    tokenizer = _load_tokenizer(path)
    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        raise LimrError(
            "the tokenizer belongs to another model",
            found=f"{len(tokenizer):,} tokens",
            expected=f"at most {rows:,}, the model's embeddings",
        )
    return tokenizer


def _load_tokenizer(path: Path) -> PreTrainedTokenizerFast:
    try:
        # not AutoTokenizer: for model type qwen2 it replaces tokenizer.json's splitting by Qwen's (transformers 5.23)
        tokenizer = PreTrainedTokenizerFast.from_pretrained(path, padding_side="left", local_files_only=True)
    except Exception as error:  # no specific error class, as above
        raise LimrError(f"the tokenizer cannot be read ({first_line(error)})") from error
    if tokenizer.eos_token_id is None:
        raise LimrError("the tokenizer has no eos_token", expected="an end token, without which no response ends")
    if tokenizer.chat_template is None:
        raise LimrError(
            "the tokenizer has no chat template", expected="a chat template, which training and evaluation both use"
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer
