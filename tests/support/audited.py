"""Grades the injections under an audit hook. Prints each event in which an injection ran, and ``done`` last.

    python tests/support/audited.py (in_the_caller | in_a_worker | on_purpose) SENTINEL

An audit hook cannot be removed, so this runs in a separate process. SENTINEL is the file that the injections create.
"""

import re
import sys
from pathlib import Path
from types import CodeType
from typing import Any

from hostile import GOLDS, MARK, corpus, responses

FAMILIES = ("python injection", "sympy injection", "LaTeX macros", "matches anything")
STARTS = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "subprocess.Popen", "pty.spawn", "socket.connect")
# Code that sympy compiles in any case: its polynomials generate code for their number of variables, and latex2sympy2
# reads numbers with sympify, after its lexer has checked that they consist of digits and a point.
HARMLESS = re.compile(
    r"def monomial_\w+\([A-Z, k]+\):\n[\sa-z0-9_(),=+\-*A-Z<>:]*|from sympy import \*|(Integer|Float) \('?[\d.]+'? \)"
)
listening = False
every_compilation = False


def hook(event: str, arguments: tuple[Any, ...]) -> None:
    global listening
    if not listening or event not in ("compile", "exec", "open", *STARTS):
        return
    listening = False  # ignore what the hook itself does
    compiled = event == "compile" and every_compilation and not _harmless(arguments[0])
    code = arguments[0] if event == "exec" else None
    words = (code.co_names, code.co_consts, code.co_filename) if isinstance(code, CodeType) else arguments
    if compiled or MARK in repr(words):
        print(event, ascii(words)[:200], flush=True)
    listening = True


def _harmless(source: object) -> bool:
    if not isinstance(source, bytes | str):
        return True  # a syntax tree or nothing, which a library made without any text
    return HARMLESS.fullmatch(source if isinstance(source, str) else source.decode()) is not None


def answers(sentinel: Path) -> list[str]:
    return [hostile.answer for hostile in corpus(sentinel) if hostile.family in FAMILIES]


def in_the_caller(sentinel: Path) -> None:
    global listening
    from limr.grading.equivalence import GRADERS, equal
    from limr.grading.reward import grade

    for grader in GRADERS:
        equal("x^2+2x+1", "(x+1)^2", grader)  # starts the workers
    listening = True
    for place, answer in enumerate(answers(sentinel)):
        for grader in GRADERS:
            equal(GOLDS[place % len(GOLDS)], answer, grader)
            for response in responses(answer):
                grade(response, GOLDS[(place + 1) % len(GOLDS)], grader=grader)


def in_a_worker(sentinel: Path) -> None:
    """Calls in this process the comparisons that workers call. An answer that takes too long is skipped."""
    global listening, every_compilation
    import signal
    from contextlib import suppress

    import sympy.physics.units  # noqa: F401 - compiles as it is imported, which latex2sympy2 does on first use

    from limr.grading import math_verify_alone, symbolic

    def too_long(*_: object) -> None:
        raise TimeoutError

    comparisons = (symbolic.compare, math_verify_alone.compare)
    for compare in comparisons:
        with suppress(Exception):
            compare(r"\frac{\sqrt3}{2}x^2", r"\frac{\sqrt3 x^2}{2}")  # the first call imports modules: it compiles code
    signal.signal(signal.SIGPROF, too_long)
    every_compilation = True
    for place, answer in enumerate(answers(sentinel)):
        for compare in comparisons:
            listening = True
            signal.setitimer(signal.ITIMER_PROF, 1)
            with suppress(Exception):
                compare(GOLDS[place % len(GOLDS)], answer)
            signal.setitimer(signal.ITIMER_PROF, 0)
            listening = False


def on_purpose(sentinel: Path) -> None:
    """Runs one payload, which the hook must notice."""
    global listening
    listening = True
    exec(f"open({str(sentinel)!r}, 'w').close()  # {MARK}")


if __name__ == "__main__":
    sys.addaudithook(hook)
    globals()[sys.argv[1]](Path(sys.argv[2]))
    listening = False
    print("done")
