"""The worker process of an engine. Without vLLM, only its watch over the caller can be tested."""

import subprocess
import sys


def test_the_worker_ends_with_its_caller():
    """The worker watches its standard input, which closes when the caller ends."""
    program = (
        "import threading, time; from limr.evaluation import vllm_worker; "
        "threading.Thread(target=vllm_worker._end_with_the_caller, daemon=True).start(); print(1, flush=True); "
        "time.sleep(60)"
    )
    worker = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    worker.stdout.read(1)
    worker.stdin.close()
    assert worker.wait(timeout=20) == 75
    worker.stdout.close()
