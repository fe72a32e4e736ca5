"""The process of one vLLM engine: it answers a list of requests.

    python -P -m limr.evaluation.vllm_worker REQUESTS ANSWERS

REQUESTS is JSON: ``engine`` holds the arguments of vLLM's ``LLM``. ``requests`` lists the tokens of each prompt with
the arguments of ``SamplingParams``. As each response is finished, the process adds a line to ANSWERS: the number of the
request, its tokens, and why it ended. An empty line is a heartbeat.

The caller holds the other end of standard input. When the caller ends for any reason, this end closes, and this process
ends too.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

SECONDS_BETWEEN_HEARTBEATS = 5.0
CALLER_ENDED = 75  # exit status


def main(requests: str, answers: str) -> None:
    """Answer all requests of file ``requests`` and write the responses to file ``answers``."""
    threading.Thread(target=_end_with_the_caller, daemon=True).start()
    work = json.loads(Path(requests).read_text(encoding="utf-8"))
    with Path(answers).open("a", encoding="utf-8", buffering=1) as stream:
        _answer(work["engine"], work["requests"], stream)


def _answer(engine: dict[str, Any], requests: list[Any], stream: TextIO) -> None:
    from vllm import LLM, SamplingParams

    core = LLM(**engine).llm_engine
    for number, (tokens, sampling) in enumerate(requests):
        core.add_request(str(number), {"prompt_token_ids": tokens}, SamplingParams(**sampling))
    heartbeat = time.monotonic()
    while core.has_unfinished_requests():
        for output in core.step():
            if output.finished:
                (response,) = output.outputs
                row = [int(output.request_id), list(response.token_ids), response.finish_reason]
                stream.write(json.dumps(row) + "\n")
        if time.monotonic() - heartbeat > SECONDS_BETWEEN_HEARTBEATS:
            heartbeat = time.monotonic()
            stream.write("\n")


def _end_with_the_caller() -> None:
    sys.stdin.buffer.read()
    os._exit(CALLER_ENDED)


if __name__ == "__main__":
    main(*sys.argv[1:])
