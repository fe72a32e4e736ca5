"""Engine ``vllm``: vLLM's offline engine, each in a process of its own, on as many GPUs as the configuration says.

``data_parallel_size`` engines share the problems, each on ``tensor_parallel_size`` GPUs. Prompts go in as tokens and
responses come back as tokens, so both evaluation engines read and write text in the same way.

Every sample has a seed of its own, which follows from the seed, the benchmark, the prompt and the number of the sample:
its draws are the same whichever model answers, whatever else is answered, and however many engines share the work. What
they make of it is the same again only on the same hardware, with the same vLLM and the same settings: the engine's
scheduling is made deterministic, but which requests share a batch decides how sums are rounded, and a response parts
from another run's where two tokens are nearly as likely. (VLLM_BATCH_INVARIANT=1, vLLM's own and slower, does away with
that on recent GPUs; it is handed through.)
"""

import importlib.metadata
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from limr.errors import LimrError
from limr.evaluation.generation import chat_token_ids
from limr.evaluation.responses import Response, Sampling, seed_from
from limr.jobs.gpus import require_gpus
from limr.models.checkpoint import check_checkpoint, end_tokens
from limr.progress import ProgressLines

logger = logging.getLogger(__name__)

WORKER = "limr.evaluation.vllm_worker"
PATIENCE = 20 * 60.0  # seconds without a sign of life: loading and compiling give none, and take minutes
POLL = 0.2
LAST_LINES, LONGEST_LINE = 25, 500
SAID_LINES = 3  # an error and what it says about itself

# what makes the engine deterministic, local and quiet; a person's own setting of a variable stands
ENVIRONMENT = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # scheduling then does not depend on time
    "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
ON_CPUS = {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "VLLM_CPU_KVCACHE_SPACE": "1"}  # threads: OMP_NUM_THREADS; GiB

Request = tuple[list[int], dict[str, Any]]  # the tokens of a prompt, and the arguments of vLLM's SamplingParams
Answer = tuple[list[int], str]  # the tokens of a response, and why it ended


def answers(
    model: Path,
    prompts: Mapping[str, Sequence[str]],
    samplings: Mapping[str, Sampling],
    settings: Mapping[str, Any],
    title: str,
) -> Iterator[tuple[str, list[list[Response]]]]:
    """Each benchmark of ``prompts`` with the responses of the model in directory ``model`` to each of its prompts.

    ``settings``: the ``evaluation`` section and ``system_prompt``; ``title`` names the lines of progress.

    Raises LimrError when vLLM is not installed, GPUs are missing, the model cannot be used or has no room for prompt
    and response, and within seconds when an engine's process dies: the end of its output stands in the log.
    """
    on_cpus = runs_on_cpus()
    network, tokenizer = check_checkpoint(model)
    ends = end_tokens(network.generation_config, tokenizer)
    token_ids = {
        name: chat_token_ids(tokenizer, texts, settings.get("system_prompt")) for name, texts in prompts.items()
    }
    longest = max(len(ids) for rows in token_ids.values() for ids in rows) + settings["max_response_tokens"]
    room = network.config.max_position_embeddings
    if longest > room:
        raise LimrError(
            f"{model}: has {room:,} positions, and the longest prompt with evaluation.max_response_tokens, "
            f"{settings['max_response_tokens']:,}, needs {longest:,}"
        )
    requests = [
        (ids, _sampling(samplings[name], ends, text, sample))
        for name, texts in prompts.items()
        for text, ids in zip(texts, token_ids[name], strict=True)
        for sample in range(samplings[name].samples)
    ]
    engine = _engine(model, settings, longest, on_cpus)
    found = iter(_run(requests, engine, settings, title, on_cpus))
    for name, texts in prompts.items():
        samples = samplings[name].samples
        rows = [[next(found) for _ in range(samples)] for _ in texts]
        yield name, [[_response(tokenizer, answer) for answer in row] for row in rows]


def runs_on_cpus() -> bool:
    """Whether the installed vLLM is a build for CPUs. Raises LimrError where none is installed."""
    for name in ("vllm", "vllm-cpu"):
        with suppress(importlib.metadata.PackageNotFoundError):
            version = importlib.metadata.version(name)
            return name == "vllm-cpu" or "+cpu" in version
    raise LimrError(
        "evaluation.engine: 'vllm' needs vLLM, which is not installed in the environment that snakemake runs in: "
        "make the one of envs/openrlhf.yaml (docs/paper_run.md), or set evaluation.engine to transformers"
    )


def _sampling(sampling: Sampling, ends: list[int], prompt: str, sample: int) -> dict[str, Any]:
    """Arguments of SamplingParams. Text is made of tokens elsewhere, as for the other engine."""
    return {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p if sampling.temperature > 0 else 1.0,
        "top_k": 0,
        "max_tokens": sampling.max_response_tokens,
        "seed": seed_from(sampling.seed, sample, prompt) if sampling.temperature > 0 else None,
        "stop_token_ids": ends,
        "detokenize": False,
    }


def _engine(model: Path, settings: Mapping[str, Any], longest: int, on_cpus: bool) -> dict[str, Any]:
    """Arguments of vLLM's LLM."""
    engine = {
        "model": str(Path(model).absolute()),
        "skip_tokenizer_init": True,
        "generation_config": "vllm",  # not the model's own, which would add to what we ask for
        "load_format": "safetensors",
        "dtype": settings["dtype"],
        "seed": 0,
        "max_model_len": longest,
        "max_num_seqs": settings["batch_size"],
        "tensor_parallel_size": settings["tensor_parallel_size"],
        "gpu_memory_utilization": settings["gpu_memory_utilization"],
    }
    if on_cpus:
        engine["enforce_eager"] = True  # compiling pays in hours, not in minutes
        # room for all: vLLM winds back the random numbers of a prompt that it reads in two parts, and cannot on CPUs
        engine["max_num_batched_tokens"] = settings["batch_size"] * longest
    return engine


def _run(
    requests: list[Request], engine: dict[str, Any], settings: Mapping[str, Any], title: str, on_cpus: bool
) -> list[Answer]:
    """The answers to ``requests``, in their order, from all engines at work side by side."""
    number, width = settings["data_parallel_size"], settings["tensor_parallel_size"]
    number = min(number, len(requests))
    environments = _environments(number, width, on_cpus)
    with tempfile.TemporaryDirectory(prefix="limr-vllm-") as scratch, ExitStack() as stack:
        workers = []
        for rank, environment in enumerate(environments):
            worker = Worker(Path(scratch), rank, list(range(rank, len(requests), number)))
            worker.write({"engine": engine, "requests": [requests[index] for index in worker.indices]})
            stack.enter_context(worker.running(environment))
            workers.append(worker)
        logger.info("%s: %s responses from %d vLLM engines of %d GPUs", title, f"{len(requests):,}", number,
                    0 if on_cpus else width)  # fmt: skip
        answered = _wait(workers, ProgressLines(title, len(requests)))
    return [answered[index] for index in range(len(requests))]


def _environments(number: int, width: int, on_cpus: bool) -> list[dict[str, str]]:
    """The environment of each engine's process: which GPUs it sees."""
    if on_cpus:
        return [ENVIRONMENT | ON_CPUS | os.environ for _ in range(number)]
    why = f"evaluation.data_parallel_size is {number} and tensor_parallel_size {width}"
    gpus = [gpu.uuid for gpu in require_gpus(number * width, why)]
    return [
        ENVIRONMENT | os.environ | {"CUDA_VISIBLE_DEVICES": ",".join(gpus[rank * width : (rank + 1) * width])}
        for rank in range(number)
    ]


class Worker:
    """One engine's process: ``limr.evaluation.vllm_worker`` on its part of the requests."""

    def __init__(self, folder: Path, rank: int, indices: list[int]) -> None:
        self.rank, self.indices = rank, indices
        self.requests, self.answers = folder / f"{rank}.requests.json", folder / f"{rank}.answers.jsonl"
        self.output = folder / f"{rank}.output"
        self.answers.touch()
        self._read = 0

    def write(self, work: dict[str, Any]) -> None:
        self.requests.write_text(json.dumps(work), encoding="utf-8")

    @contextmanager
    def running(self, environment: dict[str, str]) -> Iterator[None]:
        """The process, which has ended when this does: by itself, or by our signal to its group."""
        command = [sys.executable, "-m", WORKER, str(self.requests), str(self.answers)]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True
            )
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)  # with the processes that vLLM itself may have started
            self.process.wait()
            self.process.stdin.close()

    def news(self) -> list[tuple[int, Answer] | None]:
        """What has been written since the last call: answers with the number of their request, and signs of life."""
        with self.answers.open("rb") as stream:
            stream.seek(self._read)
            lines = stream.read()
        lines = lines[: lines.rfind(b"\n") + 1]  # the last line may be on its way
        self._read += len(lines)
        rows = [json.loads(line) if line.strip() else None for line in lines.splitlines()]
        return [row and (self.indices[row[0]], (row[1], row[2])) for row in rows]

    def failure(self, what: str) -> LimrError:
        """``what`` happened, with the last thing that the process said; the log gets more of it."""
        lines = [line.rstrip() for line in self.output.read_text("utf-8", "replace").splitlines() if line.strip()]
        for line in lines[-LAST_LINES:]:
            logger.error("vLLM engine %d: %s", self.rank, line[:LONGEST_LINE])  # it dumps its state in a line
        errors = [number for number, line in enumerate(lines) if "Error" in line and not line.startswith(" ")]
        said = lines[errors[-1] :][:SAID_LINES] if errors else lines[-1:]
        text = " ".join(line.strip() for line in said)[:LONGEST_LINE] or "nothing"
        return LimrError(f"vLLM engine {self.rank} {what}; it said: {text}")


def _wait(workers: list[Worker], lines: ProgressLines) -> dict[int, Answer]:
    """All answers. Raises LimrError when a process ends without having answered everything, or falls silent."""
    answered: dict[int, Answer] = {}
    heard = {worker.rank: time.monotonic() for worker in workers}
    while True:
        ended = {worker.rank: worker.process.poll() for worker in workers}  # before the last look at its answers
        for worker in workers:
            for news in worker.news():
                heard[worker.rank] = time.monotonic()
                if news is not None:
                    answered[news[0]] = news[1]
                    lines.update()
        unfinished = [worker for worker in workers if not answered.keys() >= set(worker.indices)]
        if not unfinished:
            return answered
        for worker in unfinished:
            if ended[worker.rank] is not None:
                raise worker.failure(f"ended with status {ended[worker.rank]} before all was answered")
            if time.monotonic() - heard[worker.rank] > PATIENCE:
                raise worker.failure(f"gave no sign of life for {PATIENCE / 60:.0f} minutes and was ended")
        time.sleep(POLL)


def _response(tokenizer: Any, answer: Answer) -> Response:
    tokens, reason = answer
    text = tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return Response(text, len(tokens), reason == "length")
