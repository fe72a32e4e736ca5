"""Fuzzing: answers from a grammar of LaTeX, mutated golds and arbitrary Unicode, against golds of the same kinds.

LIMR_FUZZ_CASES sets the total number of pairs: a few hundred by default, 50,000 for the full run (tens of minutes).
"""

import json
import os
import subprocess
import sys
import time
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from processes import Stopwatch

from limr.grading import equal
from limr.grading.reward import grade

CASES = int(os.environ.get("LIMR_FUZZ_CASES", "400"))
CPU_LIMIT = 2.0 + 1.0  # seconds of one comparison, plus the time until its worker has ended

GOLDS = (
    "5", "-12", "0", "3.5", ".039", r"\frac{3}{4}", r"3\frac18", r"x^2+4x+9", r"\left( 2, -\frac{13}{7} \right)",
    r"\{1,2,3\}", "[0,3)", r"(-\infty,3)\cup(3,\infty)", r"\text{Evelyn}", "4343_6", r"10\sqrt6",
    r"\begin{pmatrix} 7 \\ 5 \end{pmatrix}", "2,-1", r"58,\!500", r"75^\circ", r"\$3.54", r"17\%", r"20\text{ days}",
    r"2 + 7i", r"y = x^2 + 2", r"3 \pm 2 \sqrt{2}", r"12\text{ and }13", "x=5", r"\text{(E)}", r"-80\leq g(x)\leq 82",
)  # fmt: skip
SNIPPETS = (
    r"\frac", r"\dfrac", r"\sqrt", r"\left(", r"\right)", r"\left[", r"\right]", "{", "}", "(", ")", "[", "]", r"\{",
    r"\}", "^", "_", "+", "-", "*", "/", "=", "<", r"\le", r"\cdot", r"\times", r"\div", r"\pm", r"\pi", r"\infty",
    r"\cup", r"\text{", r"\text{ and }", r"\text{ or }", r"\mathrm{cm}", r"\circ", r"\%", "%", r"\$", "$", ",",
    r",\!", "{,}", ".", ";", ":", " ", r"\ ", "!", "|", "&", r"\\", r"\begin{pmatrix}", r"\end{pmatrix}", r"\sin",
    r"\log", r"\binom", r"\sum", r"\int", r"\boxed{", "i", "e", "x", "y", "10^", "e9", "°", "π", "√",
    "\N{MINUS SIGN}", "²", "½", "٣", "\u202e", "\x00", "\ud800",
)  # fmt: skip

numbers = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.decimals(-1000, 1000, places=3).map(str),
    st.fractions(-50, 50, max_denominator=99).map(lambda v: rf"\frac{{{v.numerator}}}{{{v.denominator}}}"),
)
letters = st.sampled_from("abnxyzi")


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, inner)
    several = st.lists(inner, min_size=2, max_size=4)
    return st.one_of(
        two.map(lambda p: rf"\frac{{{p[0]}}}{{{p[1]}}}"),
        two.map(lambda p: f"{p[0]}+{p[1]}"),
        two.map(lambda p: f"{p[0]} - {p[1]}"),
        two.map(lambda p: rf"{p[0]}\cdot {p[1]}"),
        two.map(lambda p: f"{p[0]}{p[1]}"),
        two.map(lambda p: f"{{{p[0]}}}^{{{p[1]}}}"),
        two.map(lambda p: f"{p[0]}={p[1]}"),
        two.map(lambda p: rf"{p[0]} \text{{ or }} {p[1]}"),
        inner.map(lambda a: rf"\sqrt{{{a}}}"),
        inner.map(lambda a: f"-({a})"),
        inner.map(lambda a: rf"\left|{a}\right|"),
        inner.map(lambda a: rf"\sin({a})"),
        inner.map(lambda a: f"{a}!"),
        inner.map(lambda a: rf"{a}^\circ"),
        inner.map(lambda a: rf"{a}\%"),
        inner.map(lambda a: rf"{a}\text{{ cm}}"),
        several.map(lambda s: f"({', '.join(s)})"),
        several.map(lambda s: rf"\{{{', '.join(s)}\}}"),
        several.map(lambda s: ", ".join(s)),
        several.map(lambda s: r"\begin{pmatrix}" + r" \\ ".join(s) + r"\end{pmatrix}"),
        two.map(lambda p: rf"[{p[0]},{p[1]}) \cup ({p[1]}, \infty)"),
    )


latex = st.recursive(st.one_of(numbers, letters), _compound, max_leaves=8)
soup = st.lists(st.one_of(st.sampled_from(SNIPPETS), st.integers(0, 9999).map(str)), max_size=25).map("".join)
unicode = st.text(st.characters(), max_size=60)  # control characters and lone surrogates included
golds = st.sampled_from(GOLDS)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A gold with some characters removed and snippets inserted: almost an answer."""
    text = draw(golds)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        lost = draw(st.integers(0, 3))
        text = text[:start] + draw(st.sampled_from((*SNIPPETS, "", "7"))) + text[start + lost :]
    return text


anything = st.one_of(latex, soup, mutated(), unicode, golds)


def fuzz(share: float) -> settings:
    """Settings for this share of all cases. A small number of cases is the same in every run."""
    return settings(
        max_examples=max(1, int(CASES * share)),
        database=None,
        derandomize=CASES < 1000,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


watch = Stopwatch()
worst: list[tuple[float, str, str]] = [(0.0, "", "")]


@fuzz(0.6)
@given(st.one_of(golds, latex), anything)
@example("", "")
@example("\ud800", "\ud800")
@example("\x00", " ")
def test_any_answer_gets_the_same_verdict_again_and_in_time(gold, answer):
    used = watch.seconds(lambda: equal(gold, answer))
    verdict = equal(gold, answer)
    worst[0] = max(worst[0], (used, gold, answer))
    assert isinstance(verdict.equal, bool)
    assert verdict.stage in ("text", "number", "guard", "symbolic", "limit")
    assert used < CPU_LIMIT
    assert equal(gold, answer) == verdict


@fuzz(0.2)
@given(latex)
def test_every_gold_from_the_grammar_equals_itself(text):
    assert equal(text, text).equal


@fuzz(0.1)
@given(soup, golds, st.booleans())
def test_any_response_gets_its_reward(response, gold, truncated):
    verdict = grade(response + r" \boxed{" + response + "}", gold, truncated)
    assert verdict.reward in (1.0, -0.5, -1.0)
    assert verdict.correct == (verdict.reward == 1.0)
    assert grade(response, gold, truncated) == grade(response, gold, truncated)


def _plain(value: Fraction) -> st.SearchStrategy[str]:
    fraction = rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
    forms = [fraction, fraction.replace("frac", "dfrac"), f"{value.numerator}/{value.denominator}", f"${fraction}$"]
    return st.sampled_from(forms if value.denominator > 1 else [*forms, str(value), f"{value}.0", f"{value}."])


rationals = st.fractions(-9, 9, max_denominator=6)


@fuzz(0.05)
@given(st.data(), rationals, rationals)
def test_plain_numbers_are_equal_exactly_when_their_values_are(data, first, second):
    one, other = data.draw(_plain(first)), data.draw(_plain(second))
    assert equal(one, other).equal == (first == second)
    assert equal(other, one).equal == (first == second)


@fuzz(0.05)
@given(st.data(), st.lists(rationals, min_size=2, max_size=4), st.sampled_from(["({})", "{}", r"\{{{}\}}"]))
def test_collections_of_plain_numbers_are_equal_in_both_directions_or_in_neither(data, values, frame):
    order = data.draw(st.permutations(values))
    one = frame.format(", ".join(data.draw(_plain(value)).strip("$.") for value in values))
    other = frame.format(", ".join(data.draw(_plain(value)).strip("$.") for value in order))
    expected = values == order if frame == "({})" else True
    assert (equal(one, other).equal, equal(other, one).equal) == (expected, expected)


def test_another_process_in_another_order_gives_the_same_verdicts(tmp_path):
    """Earlier gradings of a process do not change its verdicts."""
    pairs: list[tuple[str, str]] = []

    @settings(max_examples=min(CASES // 8, 2000), database=None, derandomize=True, phases=(Phase.generate,))
    @given(golds, st.one_of(latex, mutated()))
    def collect(gold: str, answer: str) -> None:
        if "\x00" not in answer and answer.isprintable():
            pairs.append((gold, answer))

    collect()
    code = (
        "import sys, json; from limr.grading import equal\n"
        "print(json.dumps([str(equal(*pair)) for pair in json.load(sys.stdin)]))"
    )
    backwards = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(pairs[::-1]), capture_output=True, text=True, check=True
    )
    assert json.loads(backwards.stdout)[::-1] == [str(equal(*pair)) for pair in pairs]


@pytest.fixture(scope="module", autouse=True)
def _report():
    start = time.monotonic()
    yield
    if CASES >= 1000:
        print(f"\n{CASES} cases in {time.monotonic() - start:.0f} s; worst {worst[0][0]:.2f} CPU-s: {worst[0][1:]!a}")
