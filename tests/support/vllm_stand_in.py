"""A stand-in for ``limr.evaluation.vllm_worker``, which needs vLLM: it has the same arguments, but no model.

A response is the last token of its prompt, two tokens that follow from the seed, and the first end token.
``LIMR_STAND_IN_NOTES`` names a folder for a note about its environment and its requests. ``LIMR_STAND_IN`` makes it
fail: ``die`` after half of the answers, ``silent`` without a heartbeat, or ``raise`` at once, as vLLM does on a GPU
that is too small.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any


def main(requests: str, answers: str) -> None:
    work = json.loads(Path(requests).read_text(encoding="utf-8"))
    behaviour = os.environ.get("LIMR_STAND_IN", "")
    if folder := os.environ.get("LIMR_STAND_IN_NOTES"):
        variables = {name: value for name, value in os.environ.items() if name.startswith("VLLM_")}
        note = {"devices": os.environ.get("CUDA_VISIBLE_DEVICES"), "pid": os.getpid(), "variables": variables, **work}
        Path(folder, f"{os.getpid()}.json").write_text(json.dumps(note), encoding="utf-8")
    if behaviour == "raise":
        print("INFO loading weights")
        raise RuntimeError("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB")
    if behaviour == "silent":
        time.sleep(60)
    numbered = list(enumerate(work["requests"]))
    for count, (number, (tokens, sampling)) in enumerate(reversed(numbered)):  # vLLM finishes in any order
        if behaviour == "die" and count >= len(numbered) // 2:
            os.kill(os.getpid(), 9)
        sampled = [4 + (sampling["seed"] or 0) % 10, 4 + (sampling["seed"] or 0) // 10 % 10]
        response = [*tokens[-1:], *sampled, sampling["stop_token_ids"][0]]
        row = [number, response[: sampling["max_tokens"]], "length" if sampling["max_tokens"] < 4 else "stop"]
        with Path(answers).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n\n")


def read_notes(folder: Path) -> list[dict[str, Any]]:
    """The notes of all processes that left one in ``folder``."""
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.iterdir())]


if __name__ == "__main__":
    main(*sys.argv[1:])
