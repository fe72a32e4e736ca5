"""Computer algebra, called in this process on harmless expressions."""

import sys

import pytest

from limr.grading.symbolic import compare

COMPILED: list[object] = []
WATCHING = [False]


def _note_compilation(event: str, arguments: tuple) -> None:
    if WATCHING[0] and event in ("compile", "exec", "os.system", "subprocess.Popen", "import"):
        COMPILED.append((event, arguments))


sys.addaudithook(_note_compilation)


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        (r"\frac{1+\sqrt5}{2}", r"0.5+\frac{\sqrt5}{2}"),
        (r"\log\left(\frac{2007}{2006}\right)", r"\log 2007-\log 2006"),
        (r"2\cos 15^\circ", r"\frac{\sqrt6+\sqrt2}{2}"),
        (r"\frac{x^2}{16}-\frac{y^2}{9}=1", "9x^2-16y^2=144"),
        ("(1+i)^2", "2i"),
        ("3+2i", "3-2i^3"),
        ("5-5", "0"),
        (r"-\sqrt{x-2}+2", r"2-(x-2)^{1/2}"),
        ("3-2f(x)", "-2f(x)+3"),
        (r"(5,\pi,-8)", r"(5,\frac{2\pi}{2},-8)"),
        (r"-2, 1 + i \sqrt{3}, 1 - i \sqrt{3}", r"1\pm\sqrt3 i, -2"),
    ],
)
def test_equal_expressions_are_accepted(gold, answer):
    assert compare(gold, answer)


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("2^{2005}", "2^{2005}+1"),
        (r"10^{-30}\pi", r"2\cdot10^{-30}\pi"),
        (r"\frac{355}{113}", r"\pi"),
        (r"\sqrt{x^2}", "x"),
        ("x^2+1", "x^2+1+0.0000001"),
        ("2x+z-5=0", "2x+z-6=0"),
        ("6\\pi", "3\\pi+3\\pi"),
        ("i", "i^2"),
        ("3+2i", "3+2i^2"),
        (r"\frac{1}{x}", r"\frac{1}{0}"),
        ("x", r"\frac{("),
        ("x", ""),
    ],
)
def test_different_expressions_are_refused(gold, answer):
    assert not compare(gold, answer)


@pytest.mark.parametrize(
    "answer",
    [
        "__import__('os').system('touch pwned')",
        "x_{__import__('os')}",
        "f(__import__('os'))",
        "exec(1)",
        r"\text{__import__('os')}+x",
        r"\operatorname{__import__}(x)",
        "9**9+(lambda:1)()",
        "x.__class__.__mro__",
        r"\gcd(12,18)+x",
        r"\frac{x}{2}+1",
        "2x=1",
    ],
)
def test_no_text_is_compiled_or_run(answer):
    compare("x+1", "1+x")
    COMPILED.clear()
    WATCHING[0] = True
    try:
        compare("x+1", answer)
    finally:
        WATCHING[0] = False
    assert not [event for event, arguments in COMPILED if event != "import" or "os" in str(arguments[0])]
