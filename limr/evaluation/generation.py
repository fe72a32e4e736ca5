"""Engine ``transformers``: prompts of similar length share a batch, padded left; fixed seeds sample the responses."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerFast

from limr.evaluation.responses import Response, Sampling
from limr.models.chat_template import chat_texts
from limr.models.checkpoint import end_tokens, load_checkpoint
from limr.progress import ProgressLines


def answers(
    model: Path,
    prompts: Mapping[str, Sequence[str]],
    samplings: Mapping[str, Sampling],
    settings: Mapping[str, Any],
    title: str,
) -> Iterator[tuple[str, list[list[Response]]]]:
    """Each benchmark of ``prompts`` with the responses of the model in directory ``model`` to each of its prompts.

    ``settings``: the ``evaluation`` section and ``system_prompt``; ``title`` names the progress lines.
    """
    torch.set_num_threads(settings["threads"])
    network, tokenizer = load_checkpoint(model)
    for name, texts in prompts.items():
        yield (
            name,
            generate(network, tokenizer, texts, samplings[name], f"{title} on {name}", settings.get("system_prompt")),
        )


def generate(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    prompts: Sequence[str],
    sampling: Sampling,
    progress: str,
    system_prompt: str | None = None,
) -> list[list[Response]]:
    """``sampling.samples`` responses to each of ``prompts``, in the order of ``prompts``.

    ``progress`` names the progress lines. The responses depend on the model, the prompts and ``sampling`` alone. Models
    with the same tokenizer get the same random draws. Torch's global random state does not change.
    """
    token_ids = chat_token_ids(tokenizer, prompts, system_prompt)
    # longest prompts first: a batch that does not fit in memory fails at once, not at the end
    order = sorted(range(len(prompts)), key=lambda index: (-len(token_ids[index]), token_ids[index]))
    prompts_per_batch = max(1, sampling.batch_size // sampling.samples)
    responses: list[list[Response]] = [[] for _ in prompts]
    model.generation_config = _generation_config(model, tokenizer, sampling)
    batches = [order[start : start + prompts_per_batch] for start in range(0, len(order), prompts_per_batch)]
    lines = ProgressLines(progress, len(batches))
    with torch.random.fork_rng(), torch.inference_mode():
        for number, batch in enumerate(batches):
            # a seed per batch: the number of draws of a batch depends on how long the model's responses are
            torch.manual_seed(sampling.seed + number)
            answers = _generate_batch(model, tokenizer, [token_ids[index] for index in batch])
            for position, index in enumerate(batch):
                responses[index] = answers[position * sampling.samples : (position + 1) * sampling.samples]
            lines.update()
    return responses


def chat_token_ids(
    tokenizer: PreTrainedTokenizerFast, prompts: Sequence[str], system_prompt: str | None = None
) -> list[list[int]]:
    """Each of ``prompts``, in the chat template, as token ids."""
    return tokenizer(chat_texts(tokenizer, prompts, system_prompt), add_special_tokens=False)["input_ids"]


def _generation_config(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, sampling: Sampling
) -> GenerationConfig:
    """Our settings. They are complete: generate() would take a missing one from the model's generation_config.json."""
    sampled = {"do_sample": True, "temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": 0}
    return GenerationConfig(
        **(sampled if sampling.temperature > 0 else {"do_sample": False}),
        num_return_sequences=sampling.samples,
        max_new_tokens=sampling.max_response_tokens,
        eos_token_id=end_tokens(model.generation_config, tokenizer),
        pad_token_id=tokenizer.pad_token_id,
    )


def _generate_batch(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, token_ids: list[list[int]]
) -> list[Response]:
    """The responses to one batch; the samples of a prompt are adjacent."""
    inputs = tokenizer.pad({"input_ids": token_ids}, padding_side="left", return_tensors="pt").to(model.device)
    sequences = model.generate(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
    generated = sequences[:, inputs["input_ids"].shape[1] :]  # prompts x samples, response length
    ends = torch.isin(generated, torch.tensor(model.generation_config.eos_token_id, device=generated.device))
    ended = ends.any(dim=1)
    # a response ends with its first end token, which its length includes; argmax finds the first True
    lengths = torch.where(ended, ends.int().argmax(dim=1) + 1, generated.shape[1]).tolist()
    rows = [row[:length] for row, length in zip(generated.tolist(), lengths, strict=True)]
    texts = tokenizer.batch_decode(rows, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return [Response(text, length, not end) for text, length, end in zip(texts, lengths, ended.tolist(), strict=True)]
