"""Generation throughput of vLLM and of transformers on the same model and prompts, and whether their answers agree.

    python tests/benchmarks/benchmark_generation.py --model results/base_model --prompts results/data/train.parquet

First both engines answer all prompts greedily, as an evaluation does, and the answers that differ are counted. Then
they take turns, round by round, so that other load on the machine affects both: responses of one length, drawn at
temperature 1, in whole batches. vLLM runs in a separate process, as in an evaluation; its start is timed separately.
Needs an environment with vLLM (envs/install_openrlhf.sh). Both engines compute in float32.
"""

import argparse
import multiprocessing
import os
import statistics
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from limr.evaluation import vllm
from limr.evaluation.responses import Sampling
from limr.files.contracts import read_parquet

MOST_SHOWN = 5


def run_vllm(connection: Connection, engine: dict[str, Any]) -> None:
    """Answer the prompts that come through ``connection``; send back the seconds and the number of tokens."""
    from vllm import LLM, SamplingParams

    started = time.perf_counter()
    core = LLM(**engine).llm_engine
    connection.send(time.perf_counter() - started)
    while work := connection.recv():
        started, tokens = time.perf_counter(), 0
        for number, (ids, sampling) in enumerate(work):
            core.add_request(str(number), {"prompt_token_ids": ids}, SamplingParams(**sampling))
        while core.has_unfinished_requests():
            tokens += sum(len(output.outputs[0].token_ids) for output in core.step() if output.finished)
        connection.send((time.perf_counter() - started, tokens))


def run_transformers(network: Any, ids: list[list[int]], tokens: int, batch: int, pad: int) -> tuple[float, int]:
    """The same with ``generate`` of transformers: seconds and number of tokens."""
    import torch
    from transformers import GenerationConfig

    network.generation_config = GenerationConfig(
        do_sample=True, temperature=1.0, top_k=0, max_new_tokens=tokens, min_new_tokens=tokens, pad_token_id=pad
    )
    started = time.perf_counter()
    with torch.inference_mode():
        for first in range(0, len(ids), batch):
            rows = ids[first : first + batch]
            width = max(map(len, rows))
            padded = torch.tensor([[pad] * (width - len(row)) + row for row in rows])
            mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
            network.generate(input_ids=padded, attention_mask=mask)
    return time.perf_counter() - started, len(ids) * tokens


def compare(model: Path, prompts: list[str], settings: dict[str, Any]) -> None:
    """Count the greedy answers that differ."""
    from limr.evaluation import generation

    sampling = Sampling(1, 0.0, 1.0, settings["max_response_tokens"], settings["batch_size"], seed=0)
    found = {}
    for name, engine in (("vLLM", vllm), ("transformers", generation)):
        started = time.perf_counter()
        ((_, rows),) = engine.answers(model, {"greedy": prompts}, {"greedy": sampling}, settings, name)
        found[name] = [response for (response,) in rows]
        tokens = sum(response.tokens for response in found[name])
        print(
            f"{name:13} {len(rows)} greedy answers, {tokens} tokens, {time.perf_counter() - started:.1f} s with start"
        )
    pairs = list(zip(prompts, found["vLLM"], found["transformers"], strict=True))
    different = [pair for pair in pairs if pair[1] != pair[2]]
    print(f"{len(different)} of {len(pairs)} answers differ")
    for prompt, ours, theirs in different[:MOST_SHOWN]:
        print(f"  {prompt!r}\n    vLLM          {ours.text!r}\n    transformers  {theirs.text!r}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--prompts", type=Path, required=True, help="file of contract prompts")
    parser.add_argument("--responses", type=int, default=512, help="responses a round (512)")
    parser.add_argument("--tokens", type=int, default=64, help="tokens of a response (64)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    os.environ |= vllm.ENVIRONMENT | vllm.ON_CPUS | {"OMP_NUM_THREADS": str(options.threads)} | os.environ
    import torch

    from limr.evaluation.generation import chat_token_ids
    from limr.models.checkpoint import load_checkpoint

    torch.set_num_threads(options.threads)
    prompts = read_parquet(options.prompts, "prompts")["prompt"].to_list()
    settings = {"threads": options.threads, "dtype": "float32", "tensor_parallel_size": 1, "data_parallel_size": 1,
                "gpu_memory_utilization": 0.3, "max_response_tokens": options.tokens,
                "batch_size": options.responses}  # fmt: skip
    compare(options.model, prompts, settings)

    network, tokenizer = load_checkpoint(options.model)
    ids = chat_token_ids(tokenizer, [prompts[number % len(prompts)] for number in range(options.responses)])
    longest = max(map(len, ids)) + options.tokens
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    engine = vllm.engine_arguments(options.model, settings, longest, on_cpus=vllm.runs_on_cpus())
    process = multiprocessing.get_context("spawn").Process(target=run_vllm, args=(theirs, engine))
    process.start()
    theirs.close()  # so that a failure of the other process is noticed
    print(f"vLLM started in {ours.recv():.1f} s")
    rates: dict[str, list[float]] = {"vLLM": [], "transformers": []}
    for number in range(options.rounds):
        sampling = {"temperature": 1.0, "max_tokens": options.tokens, "ignore_eos": True, "detokenize": False}
        ours.send([(row, sampling | {"seed": 1000 * number + place}) for place, row in enumerate(ids)])
        seconds, tokens = ours.recv()
        rates["vLLM"].append(tokens / seconds)
        seconds, tokens = run_transformers(network, ids, options.tokens, options.responses, tokenizer.pad_token_id)
        rates["transformers"].append(tokens / seconds)
        print(f"round {number}: " + ", ".join(f"{name} {rate[-1]:,.0f} tokens/s" for name, rate in rates.items()))
    ours.send(None)
    process.join()
    medians = {name: statistics.median(rate[1:] or rate) for name, rate in rates.items()}
    shown = ", ".join(f"{name} {rate:,.0f}" for name, rate in medians.items())
    print(f"medians without the first round: {shown} tokens/s, {medians['vLLM'] / medians['transformers']:.1f} times")


if __name__ == "__main__":
    main()
