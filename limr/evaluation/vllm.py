"""Engine ``vllm``: vLLM's offline engine on GPUs; each engine runs in its own process.

``data_parallel_size`` engines share the problems, each on ``tensor_parallel_size`` GPUs. Prompts and responses are
exchanged as tokens, so that both evaluation engines use the same tokenizer code.

Every sample has its own seed, computed from the seed, the benchmark, the prompt and the number of the sample. So a
sample has the same random draws for every model. The draws depend neither on other benchmarks nor on the number of
engines.

The same draws give the same responses only on the same hardware, with the same vLLM and the same settings. Scheduling
is deterministic here, but the requests that share a batch decide how sums are rounded. Where two tokens are almost
equally likely, the responses of two runs can then differ. VLLM_BATCH_INVARIANT=1, a slower mode of vLLM for recent
GPUs, avoids that; the variable is passed on to the engines.
"""

import importlib.metadata
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from limr.errors import LimrError
from limr.evaluation.generation import chat_token_ids
from limr.evaluation.responses import Response, Sampling, seed_from
from limr.evaluation.vllm_processes import Answer, Request, answer_requests
from limr.jobs.gpus import require_gpus
from limr.models.checkpoint import check_checkpoint, end_tokens

logger = logging.getLogger(__name__)

# these make the engine deterministic, offline and quiet; existing environment variables take precedence
ENVIRONMENT = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # otherwise scheduling depends on timing
    "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
ON_CPUS = {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "VLLM_CPU_KVCACHE_SPACE": "1"}  # threads: OMP_NUM_THREADS; GiB


def answers(
    model: Path,
    prompts: Mapping[str, Sequence[str]],
    samplings: Mapping[str, Sampling],
    settings: Mapping[str, Any],
    title: str,
) -> Iterator[tuple[str, list[list[Response]]]]:
    """Each benchmark of ``prompts`` with the responses of the model in directory ``model`` to each of its prompts.

    ``settings``: the ``evaluation`` section and ``system_prompt``; ``title`` names the progress lines.

    Raises LimrError if vLLM is not installed, there are too few GPUs, the model cannot be used, or the longest prompt
    and response exceed its positions. If an engine's process ends early, the error comes within seconds, and the end of
    the engine's output is in the log.
    """
    on_cpus = runs_on_cpus()
    network, tokenizer = check_checkpoint(model)
    ends = end_tokens(network.generation_config, tokenizer)
    token_ids = {
        name: chat_token_ids(tokenizer, texts, settings.get("system_prompt")) for name, texts in prompts.items()
    }
    longest_prompt = max(len(ids) for rows in token_ids.values() for ids in rows)
    longest = longest_prompt + settings["max_response_tokens"]
    positions = network.config.max_position_embeddings
    if longest > positions:
        raise LimrError(
            "the longest prompt and response do not fit in the model's positions",
            where=model,
            found=f"{positions:,} positions",
            expected=f"{longest_prompt:,} for the prompt and {settings['max_response_tokens']:,} for the response",
            advice=f"Set evaluation.max_response_tokens to {positions - longest_prompt:,} or less."
            if positions > longest_prompt
            else "Evaluate a model with more positions.",
        )
    requests = [
        (ids, sampling_arguments(samplings[name], ends, text, sample))
        for name, texts in prompts.items()
        for text, ids in zip(texts, token_ids[name], strict=True)
        for sample in range(samplings[name].samples)
    ]
    answered = iter(
        _answer_all(requests, engine_arguments(model, settings, longest, on_cpus), settings, title, on_cpus)
    )
    for name, texts in prompts.items():
        samples = samplings[name].samples
        rows = [[next(answered) for _ in range(samples)] for _ in texts]
        yield name, [[_response(tokenizer, answer) for answer in row] for row in rows]


def runs_on_cpus() -> bool:
    """Whether the installed vLLM is a build for CPUs. Raises LimrError if vLLM is not installed."""
    for name in ("vllm", "vllm-cpu"):
        with suppress(importlib.metadata.PackageNotFoundError):
            version = importlib.metadata.version(name)
            return name == "vllm-cpu" or "+cpu" in version
    raise LimrError(
        "vLLM is not installed in this environment",
        where="evaluation.engine",
        found="vllm",
        advice="Create the environment of envs/openrlhf.yaml (docs/paper_run.md) and run snakemake in it, or set"
        " evaluation.engine to transformers.",
    )


def sampling_arguments(sampling: Sampling, ends: list[int], prompt: str, sample: int) -> dict[str, Any]:
    """Arguments of vLLM's SamplingParams. vLLM returns tokens; the caller decodes them, as for the other engine."""
    return {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p if sampling.temperature > 0 else 1.0,
        "top_k": 0,
        "max_tokens": sampling.max_response_tokens,
        "seed": seed_from(sampling.seed, sample, prompt) if sampling.temperature > 0 else None,
        "stop_token_ids": ends,
        "detokenize": False,
    }


def engine_arguments(model: Path, settings: Mapping[str, Any], longest: int, on_cpus: bool) -> dict[str, Any]:
    """Arguments of vLLM's LLM; ``longest`` is the number of tokens of the longest prompt with its response."""
    engine = {
        "model": str(Path(model).absolute()),
        "skip_tokenizer_init": True,
        "generation_config": "vllm",  # otherwise the model's configuration would add to our sampling arguments
        "load_format": "safetensors",
        "dtype": settings["dtype"],
        "seed": 0,
        "max_model_len": longest,
        "max_num_seqs": settings["batch_size"],
        "tensor_parallel_size": settings["tensor_parallel_size"],
        "gpu_memory_utilization": settings["gpu_memory_utilization"],
    }
    if on_cpus:
        engine["enforce_eager"] = True  # compiling pays off after hours, and these runs take minutes
        # every prompt fits in one step: if vLLM reads a prompt in two parts, it must rewind the prompt's random
        # numbers, and on CPUs it cannot
        engine["max_num_batched_tokens"] = settings["batch_size"] * longest
    return engine


def _answer_all(
    requests: list[Request], engine: dict[str, Any], settings: Mapping[str, Any], title: str, on_cpus: bool
) -> list[Answer]:
    """The answers to ``requests``, in their order, from all engines side by side."""
    width = settings["tensor_parallel_size"]
    number = min(settings["data_parallel_size"], len(requests))
    environments = _environments(number, width, on_cpus)
    logger.info("%s: %s responses from %d vLLM engines of %d GPUs",
                title, f"{len(requests):,}", number, 0 if on_cpus else width)  # fmt: skip
    return answer_requests(requests, engine, environments, title)


def _environments(number: int, width: int, on_cpus: bool) -> list[dict[str, str]]:
    """The environment of each engine's process, which names the GPUs that it sees."""
    if on_cpus:
        return [ENVIRONMENT | ON_CPUS | os.environ for _ in range(number)]
    why = f"evaluation.data_parallel_size is {number} and tensor_parallel_size {width}"
    gpus = [gpu.uuid for gpu in require_gpus(number * width, why)]
    return [
        ENVIRONMENT | os.environ | {"CUDA_VISIBLE_DEVICES": ",".join(gpus[rank * width : (rank + 1) * width])}
        for rank in range(number)
    ]


def _response(tokenizer: Any, answer: Answer) -> Response:
    tokens, reason = answer
    text = tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return Response(text, len(tokens), reason == "length")
