r"""Hostile answers, by family: what a model in reinforcement learning, or a human, could write to break a grader.

None of them is the answer to any of ``GOLDS``. They try to hang the grader, exhaust memory, run code, raise an error,
or match anything. ``corpus`` takes the path of the file that the injections try to create.
"""

# ruff: noqa: RUF001 - this file is about letters and digits of other scripts that look like Latin ones

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

GOLDS = (
    "5",
    r"\frac{3}{4}",
    r"x^2+4x+9",
    r"\left( 2, -\frac{13}{7} \right)",
    r"\{1,2,3\}",
    r"(-\infty,3)\cup(3,\infty)",
    r"\text{Evelyn}",
    "4343_6",
    r"10\sqrt6",
    r"\begin{pmatrix} 7 \\ 5 \end{pmatrix}",
    "2,-1",
    r"58,\!500",
    r"75^\circ",
    r"\pi",
    "0",
    r"y = x^2 + 2",
)
MARK = "limrsentinel"  # part of every injected payload, and of no code that Python runs otherwise

Build = Callable[[Path], list[str]]
FAMILIES: dict[str, Build] = {}


@dataclass(frozen=True)
class Hostile:
    """One hostile answer and its family."""

    family: str
    answer: str


def corpus(sentinel: Path) -> list[Hostile]:
    """Every hostile answer, each once; injections try to create ``sentinel``."""
    answers: dict[str, Hostile] = {}
    for name, build in FAMILIES.items():
        for answer in build(sentinel):
            answers.setdefault(answer, Hostile(name, answer))
    return list(answers.values())


def family(name: str) -> Callable[[Build], Build]:
    def enter(build: Build) -> Build:
        FAMILIES[name] = build
        return build

    return enter


def _nested(before: str, kernel: str, after: str, depth: int) -> str:
    return before * depth + kernel + after * depth


@family("towers of powers")
def _towers(_: Path) -> list[str]:
    return [
        *("^".join(["9"] * height) for height in (3, 4, 6, 10, 40, 1000)),
        *(_nested("9^{", "9", "}", height) for height in (2, 3, 5, 20, 200, 5000)),
        *(_nested("(", "9", ")^{9^9}", height) for height in (1, 2, 3)), r"2^{2^{2^{2^{2}}}}", r"10^{10^{10}}",
        r"10^{10^{10^{100}}}", r"((9^9)^9)^9", r"((((9^9)^9)^9)^9)^9", r"9^{(9^9)}",
        r"\left(9^{9}\right)^{\left(9^{9}\right)}", r"x^{x^{x^{x^{x}}}}", r"e^{e^{e^{e^{e}}}}",
        r"\pi^{\pi^{\pi^{\pi}}}", r"{}^{9}9", r"9\uparrow\uparrow 9", r"9**9**9**9", r"9^9^9 - 9^9^9 + 7",
        r"\sqrt[9^{9^9}]{9}", r"\frac{9^{9^9}}{9^{9^8}}", r"9^{9^{9}} \bmod 7", r"(-1)^{9^{9^9}}",
        r"1^{9^{9^{9^9}}} + 76", r"0^{9^{9^9}} + 76", r"i^{9^{9^{9}}}",
    ]  # fmt: skip


@family("huge exponents")
def _exponents(_: Path) -> list[str]:
    return [
        *(f"7^{{{'9' * digits}}}" for digits in (4, 5, 6, 7, 8, 20, 400)),
        *(f"{sign}10^{{{sign}{'9' * digits}}}" for sign in ("", "-") for digits in (5, 9, 30)), r"1e999999999",
        r"1E+400", r"1e-999999999", r"9.9e308 \cdot 10", r"2^{100000} - 2^{99999}", r"(1+x)^{99999}",
        r"(x+y+z)^{500}", r"(a+b+c+d)^{60}(a-b)^{60}", r"(x^2+4x+9)^{2000}", r"\frac{1}{3^{999999}}", r"3^{-999999}",
        r"(1.0000001)^{99999999}", r"\sqrt[99999]{2^{99999}}", r"2^{0.5^{99999}}", r"e^{10^{9}}", r"\exp(10^{20})",
        r"12345678901^{12345678901}", r"(\frac{3}{4})^{99999}", r"\left(\sqrt{2}\right)^{1234567}",
        r"(1+\sqrt2)^{9999}", r"i^{999999999}", r"\pi^{99999999}", r"(2+3i)^{99999}", r"x^{99999999999999999999}",
    ]  # fmt: skip


@family("factorials")
def _factorials(_: Path) -> list[str]:
    return [
        *("9" + "!" * count for count in (2, 3, 4, 10, 1000)), r"99999999!", r"9999999999999999!", r"(9!)!",
        r"((9!)!)!", r"(((((3!)!)!)!)!)!", r"100000! / 99999!", r"x!!!!!!", r"\frac{(10^9)!}{(10^9-1)!}", r"9!^{9!}",
        r"(9!)^{(9!)}", r"\Gamma(10^{9})", r"10000! - 10000! + 1", r"(-5)!", r"0.5!", r"\prod_{n=1}^{1000000} n",
        r"1000!^{1000!}", r"(1000!)!",
    ]  # fmt: skip


@family("combinatorics")
def _combinatorics(_: Path) -> list[str]:
    return [
        r"\binom{999999999}{499999999}", r"\binom{100000}{50000}", r"\binom{10^{10}}{10^9}", r"\dbinom{99999}{44444}",
        r"{99999 \choose 44444}", r"\binom{\binom{99}{50}}{\binom{50}{25}}", r"\binom{x}{99999}",
        r"\binom{-99999}{99999}", r"\binom{20}{10}^{\binom{20}{10}}", r"C(99999, 44444)", r"P(10^9, 10^8)",
    ]  # fmt: skip


@family("sums, products, integrals, limits")
def _sums(_: Path) -> list[str]:
    return [
        r"\sum_{n=1}^{10^{12}} n^{n}", r"\sum_{n=1}^{99999999} \frac{1}{n}", r"\sum_{n=1}^{9999} n!",
        r"\prod_{k=1}^{10^9} k", r"\sum_{a=1}^{999}\sum_{b=1}^{999}\sum_{c=1}^{999} \frac{1}{abc}",
        r"\sum_{n=1}^{\infty} \frac{\sin n}{n^{n}}", r"\prod_{n=1}^{\infty} (1 - x^n)",
        r"\int_0^{\infty} e^{-x^{x^x}} dx", r"\int \int \int \int \sin(\cos(\tan(x))) dx",
        r"\int_{0}^{1} \frac{\sin(x^{17}) \cos(e^{x})}{\sqrt{1+x^{19}}} dx",
        r"\int x^{x} \log(\log(x)) \sqrt{\tan x} dx", r"\lim_{x \to 0} \frac{\sin(\tan x) - \tan(\sin x)}{x^{7}}",
        r"\lim_{n \to \infty} (1+\frac{1}{n})^{n^{n}}", r"\lim_{x\to\infty} \frac{\log\log\log x}{x^{x}}",
        r"\frac{d^{999}}{dx^{999}} e^{x^2}", r"\frac{d}{dx} x^{x^{x^{x}}}",
        r"\sum_{n=1}^{10} \sum_{m=1}^{n} \int_0^{m} x^{n} e^{-x} dx", r"\sum_{i=0}^{99999} x^i",
        r"\prod_{i=0}^{200} (x+i)", r"\int_{-\infty}^{\infty} \frac{\cos(x^2)}{1 + x^{20}} dx",
        r"\sum_{n=1}^{10^{100}} 1",
    ]  # fmt: skip


@family("slow algebra")
def _algebra(_: Path) -> list[str]:
    radicals = r"\sqrt{2+" * 12 + r"\sqrt{3}" + "}" * 12
    primes = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
    return [
        radicals, " + ".join(rf"\sqrt{{{prime}}}" for prime in primes),
        r"\frac{1}{" + "+".join(rf"\sqrt{{{p}}}" for p in primes) + "}",
        " + ".join(rf"\sqrt[{prime}]{{{prime + 1}}}" for prime in primes), "".join(f"(x+{k})" for k in range(1, 60)),
        "+".join(rf"\frac{{1}}{{x+{k}}}" for k in range(1, 25)), "".join(f"(a_{k}+b_{k})" for k in range(20)),
        "(" + "+".join("abcdefghjklm") + ")^{12}", r"\sin(\sin(\sin(\sin(\sin(\sin(\sin(\sin(x))))))))",
        r"\sin^{20} x \cos^{20} x \tan^{20} x", r"\sin(50x) \cos(49x) - \tan(48 x)",
        "".join(rf"\sin({k}x)" for k in range(1, 15)), r"x^{17} + 4x^{9} - y^{13} + \sqrt{x^5 + y^7} = 0",
        r"x^{20} - x - 1 = 0", r"x^7 - 3x + 1 > 0", r"x^5+x+1 < \sin x", r"\log_{\log_{2} 3} \log_{5} \log_{7} 11",
        r"\arctan(\sqrt{2+\sqrt{3}}) + \arcsin(\frac{\sqrt{6}-\sqrt{2}}{4})",
        r"\left| \left| \left| x - 1 \right| - 2 \right| - 3 \right|", r"\lfloor \pi^{50} \rfloor",
        r"\gcd(2^{999}, 3^{999})", r"\sqrt[3]{20+14\sqrt{2}} + \sqrt[3]{20-14\sqrt{2}} + 2",
        r"\sqrt{1+\sqrt{2+\sqrt{3+\sqrt{4+\sqrt{5+\sqrt{6+\sqrt{7}}}}}}}", r"\frac{" * 20 + "x" + r"}{x+1}" * 20,
        "1+" + r"\frac{1}{1+" * 24 + "x" + "}" * 24, r"\cos\frac{\pi}{257}", r"\cos\frac{\pi}{65537}",
        r"\tan(\frac{\pi}{17}) + \sqrt{17}", r"x=\sqrt{x+\sqrt{x+\sqrt{x+\sqrt{x}}}}",
        r"\zeta(3) + \Gamma(\frac{1}{7})",
    ]  # fmt: skip


@family("huge numbers")
def _numbers(_: Path) -> list[str]:
    return [
        "9" * 61, "9" * 400, "9" * 5000, "9" * 1_000_000, "-" + "9" * 5000, "0." + "3" * 5000,
        "0." + "0" * 5000 + "1", "3." + "14159" * 20000, "1" + ",000" * 2000, "1" + r"\,000" * 2000,
        "1" + "{,}000" * 500, "7" + r",\!000" * 500, r"\frac{" + "7" * 5000 + "}{" + "9" * 5000 + "}",
        "7" * 5000 + "/" + "9" * 5000, "9" * 5000 + r"\%", "9" * 4301, "9" * 4300, "9" * 100 + "." + "9" * 100,
        r"\$" + "9" * 5000, "9" * 5000 + "_{10}", "1" * 5000 + "_2", "5_{" + "9" * 5000 + "}", "0" * 100000 + "8",
        "8." + "0" * 100000 + "1", "1e" + "9" * 5000, "9" * 5000 + r"\times 10^{5}", r"9 \times 10^{999999999}",
        "0x" + "f" * 5000, "1_000_000_7", "9" * 30 + r"\frac{1}{" + "9" * 5000 + "}", r"\sqrt{" + "7" * 3000 + "}",
        "7" * 3000 + "!", "nan", "inf", "-inf", "NaN", "Infinity", "1/0", r"\frac{0}{0}", r"\frac{5}{0}",
        r"\frac{1}{0}\cdot 0", "zoo", r"\infty - \infty", "-0.0.0",
    ]  # fmt: skip


@family("huge matrices, sets, lists")
def _collections(_: Path) -> list[str]:
    def square(n: int, entry: str) -> str:
        row = " & ".join([entry] * n)
        return r"\begin{pmatrix}" + r" \\ ".join([row] * n) + r"\end{pmatrix}"

    return [
        square(30, "7"), square(200, "x"), square(12, "x^2+1") + "^{999}", square(3, "9^{9^9}"),
        square(2, square(2, "7")), square(3, r"\sqrt{2+\sqrt{3}}") + "^{-1}", r"\det" + square(12, "a"),
        square(2, "7") + "^{10^{9}}", r"I_{99999999}", square(9, "x").replace("pmatrix", "vmatrix"),
        r"\begin{pmatrix} 7 & 5 \\ 3 \end{pmatrix}", r"\begin{pmatrix}" + "&" * 5000 + r"\end{pmatrix}",
        r"\begin{pmatrix}" + r"\\" * 5000 + r"\end{pmatrix}",
        r"\begin{array}{" + "c" * 5000 + "} 7 " + r"\end{array}",
        r"\{" + ",".join(str(k) for k in range(5, 20000)) + r"\}", ",".join(["5"] * 20000),
        "(" + ",".join(["x"] * 5000) + ")", r"\{" * 300 + "5" + r"\}" * 300, "(" + "(5,6)," * 500 + "7)",
        r"\cup".join(f"({k},{k + 1})" for k in range(300)), r"\cup".join(["(-\\infty,3)"] * 900),
        r"\{1,2,\ldots,10^{100}\}", r"\{x \mid x \in \mathbb{Z}, x^{99} + x > 7\}",
        r"\mathcal{P}(\mathcal{P}(\mathcal{P}(\{1,2,3,4,5\})))", r"\{1..9\}^{99}", r"[0, 10^{10^{10}}]",
        r"(0,1) \times " * 200 + "(0,1)", ";".join(["7"] * 9999),
    ]  # fmt: skip


@family("braces and brackets")
def _braces(_: Path) -> list[str]:
    megabyte = 1_000_000
    return [
        "{" * megabyte, "}" * megabyte, "{}" * megabyte, "{" * megabyte + "}" * megabyte, "(" * megabyte,
        "[" * megabyte, "(" * 500 + "7" + ")" * 500, _nested("{", "7", "}", 26), _nested("{", "7", "}", 400),
        _nested("{", "7", "}", 100_000), _nested("(", "8", ")", 30), _nested("[", "8", "]", 400),
        _nested(r"\left(", "8", r"\right)", 300), _nested(r"\{", "8", r"\}", 300), _nested("|", "8", "|", 301),
        r"\left(" * 3000, r"\right)" * 3000, r"\left" * 5000, r"\left.\right." * 3000, "}{" * 50_000, "({[" * 10_000,
        "([)]" * 10_000, r"\{\}" * 10_000, "8}{8", "}8{", "8}}}}", "{{{{8",
    ]  # fmt: skip


@family("nested commands")
def _nesting(_: Path) -> list[str]:
    return [
        *(_nested(r"\frac{1}{", "7", "}", depth) for depth in (26, 60, 500, 20_000)),
        *(_nested(r"\sqrt{", "7", "}", depth) for depth in (26, 60, 500, 20_000)),
        *(_nested(r"\text{", "7", "}", depth) for depth in (30, 1000, 50_000)), _nested(r"\boxed{", "7", "}", 1000),
        _nested(r"\mathbf{", "8", "}", 3000), _nested(r"\sqrt[3]{1+", "x", "}", 40),
        _nested(r"\frac{", "7", "}{3}", 200), _nested("x_{", "7", "}", 500), _nested("x^{", "7", "}", 500),
        _nested(r"\overline{", "7", "}", 500), _nested(r"\sin(", "7", ")", 200), _nested("-(", "7", ")", 301),
        "-" * 100_001 + "7", "+" * 100_000 + "7", r"\frac" * 5000, r"\frac1" * 3000, r"\sqrt" * 5000 + "2",
        r"\sqrt[" * 3000, _nested(r"\begin{pmatrix}", "7", r"\end{pmatrix}", 200), r"\begin{cases}" * 500,
        "7" + "^" * 5000, "7" + "_" * 5000, "7" + "'" * 5000, r"\not" * 5000 + "5", r"\lnot" * 300 + "x",
    ]  # fmt: skip


@family("endless repetition")
def _repetition(_: Path) -> list[str]:
    return [
        "7+" * 50_000 + "7", "7*" * 20_000 + "7", "7-" * 5000 + "7", "7," * 200_000, "7 " * 300_000, "x" * 1_000_000,
        "xyz" * 500 + "+1", "=" * 100_000, "x=" * 10_000 + "7", "7=" * 2000 + "7", "," * 1_000_000, "." * 1_000_000,
        "!" * 100_000, "$" * 1_000_001, "\\" * 1_000_001, r"\ " * 300_000, r"\cdot" * 20_000, r"\pi" * 20_000,
        r"\pm" * 2000 + "7", r"\pm 1" * 24, r"\pm" + r"1 \pm ".join("2" * 20), "%" * 100_000, "&" * 100_000,
        "#" * 9999, r"\text{Evelyn }" * 20_000, "the answer is " * 50_000, "5 or 6 or " * 20_000, "(2," * 30_000,
        r"\circ" * 9999, "^\\circ" * 9999, "7" + "°" * 100_000, " " * 2_000_000 + "8", "8" + " " * 2_000_000 + "8",
        "\n" * 1_000_000 + "8", "-" * 1_000_000, "/" * 100_000, "7/" * 5000 + "7", ":" * 50_000, "1<" * 3000 + "2",
        r"\le 7" * 3000, r"\cup" * 5000, "_" * 100_000, "^" * 100_000, "~" * 500_000, r"\\" * 200_000, "<" * 50_000,
        "|" * 50_001,
    ]  # fmt: skip


@family("regular-expression bombs")
def _patterns(_: Path) -> list[str]:
    return [
        "a" * 50_000 + "!", " " * 100_000 + "x", "1" * 40_000 + "x", "1," * 40_000 + "x", "(" + "a|" * 20_000 + "b",
        r"\frac" + "{1" * 20_000, "$" + "$ " * 40_000, r"\text{" * 20_000, r"\text{" + "a" * 300_000,
        r"\text{" + " " * 300_000, r"\boxed{" * 20_000, r"\left(" + " " * 300_000,
        "1" + " " * 100_000 + "1" + " " * 100_000 + "x", "0" * 100_000 + "." + "0" * 100_000 + "x", "1.1" * 50_000,
        "1,1" * 50_000, "a1" * 100_000, "(a+)+" * 5000 + "b", "^(a|a?)+$" * 3000, ".*" * 50_000 + "=",
        "x" + "\t\n" * 100_000 + "=" + " " * 100_000, r"\begin{" + "a" * 200_000, r"\begin{pmatrix}" * 5000,
        r"\sqrt[" + "1" * 100_000, "{1}" * 50_000 + "/" + "{1}" * 50_000, "and " * 50_000, " and" * 30_000 + " 5 and",
        "5\\" * 100_000, r"\mathrm{cm}" * 20_000, "10^" * 20_000, r"\times 10^" * 20_000,
        "-" * 50_000 + "5" + "-" * 50_000, "}" + "{" * 100_000 + "}",
    ]  # fmt: skip


@family("control characters and odd unicode")
def _control(_: Path) -> list[str]:
    return [
        "\x00", "\x00" * 100_000, "7\x00", "\x007", "7\x00\x00\x008", "\x1b[2J\x1b[31m7", "\x07\x08\x7f",
        "\r\n\r\n7\x0b\x0c8", "\x85\x1c\x1d\x1e\x1f7", "".join(map(chr, range(32))), "\ud800", "\udfff",
        "\ud800\ud800", "7\udcff", "\udc80" * 5000, r"\frac{" + "\ud800}{3}", r"\text{" + "\udcff}", "\ud83d\ude00",
        "x^2\ud8004", "\ufffe\uffff", "\u202e7\u202c", "\u202e21\u202c7", "\u200f7\u200e8", "\u20667\u2069\u2067",
        "7\u200b8", "\u200b" * 100_000, "\ufeff78", "\u00ad7\u00ad8", "7\u03018", "7" + "\u0301" * 100_000,
        "x" + "\u0338" * 5000, "\U0001d7d5", "\U000e0031\U000e0037", "\U0010ffff", "\u2028\u20297", "\ufdfa" * 3000,
        "ﷺ" * 100, "ß" * 5000, "İ" * 5000, "\u1e9e\u0130\u0131", "ŉ" * 5000, "\U0001f600" * 5000, "\u00bd\u00bd",
        "\u2153", "\u221b27", "\u2212\u22127", "\u2044".join("79"), "\u00d7\u00f7", "\u222b\u2211\u220f", "\u2205",
        "\u2115\u2124\u211a\u211d", "\u2200x\u2203y",
    ]  # fmt: skip


@family("digits of other scripts")
def _scripts(_: Path) -> list[str]:
    return [
        "\u0667\u0668", "\u06f7\u06f8", "\u096d\u096e", "\u09ed", "\u0e57\u0e58", "\u0f27", "\u17e7", "\u1047\u1048",
        "\uff17\uff18", "\U0001d7df\U0001d7e0", "七", "七十八", "\u3007", "Ⅶ", "ⅶⅷ", "\u2077\u2078",
        "\u2087\u2088", "x\u00b2", "2\u2075", "7\u00b2", "2\u2079\u2079\u2079\u2079", "9\u2079\u2079\u2079", "\u2466",
        "\u2790", "\u277c", "🄇", "7️⃣", "\u0667.\u0668", r"\frac{٧}{٨}", "٧/٨", "7\u066b8", "7\u066c888",
        "\u0661" * 5000, "７７，８００", "7_\u0667", "\u0667^\u0668", "-\u0667", "\u0667\u0668\\%",
        "\u0669^{\u0669^{\u0669}}", "\u00b9\u00b2\u00b3", "\u2460\u2461\u2462\u2463", "\u2179\u217a", "\u10d0",
    ]  # fmt: skip


def _payloads(sentinel: Path) -> list[str]:
    quoted = str(sentinel)
    return [
        f"__import__('os').system('touch {quoted}')",
        f"open('{quoted}', 'w').write('{MARK}')",
        f"exec(\"open('{quoted}', 'w')  # {MARK}\")",
        f"eval(compile(\"open('{quoted}','w')\",'{MARK}','eval'))",
        f"().__class__.__bases__[0].__subclasses__()[-1].__init__.__globals__['os'].system('touch {quoted}')",
        f"[c for c in ().__class__.__base__.__subclasses__() if c.__name__ == 'Popen'][0](['touch', '{quoted}'])",
        f"(lambda: __import__('pathlib').Path('{quoted}').touch())()",
        f"getattr(__builtins__, 'ex' + 'ec')(\"open('{quoted}','w')\")",
        f"__import__('subprocess').run(['touch','{quoted}'])",
        f"print('{MARK}', file=open('{quoted}', 'w'))",
    ]


@family("python injection")
def _python(sentinel: Path) -> list[str]:
    return [
        *_payloads(sentinel), *(f"\\text{{{payload}}}" for payload in _payloads(sentinel)),
        *(f"\\operatorname{{{payload}}}" for payload in _payloads(sentinel)),
        *(f"5 + {payload}" for payload in _payloads(sentinel)),
        *(payload.replace("_", r"\_") for payload in _payloads(sentinel)), f"{{x.__class__}}{MARK}",
        f"{{0.__class__.__mro__}}%s%n{MARK}", f"${{{MARK}}}", f"`touch {sentinel}`", f"$(touch {sentinel})",
        f"; touch {sentinel}", f"| touch {sentinel}", f"&& touch {sentinel} #", "import os", "raise SystemExit",
        "exit()", "quit()", "sys.exit(0)", "os._exit(1)", "os.kill(os.getpid(), 9)", "while True: pass",
        "assert False", "lambda: 5", "None", "True", "False", "Ellipsis", "__name__", "NotImplemented", "globals()",
        "del x", "yield 5", f"!!python/object/apply:os.system ['touch {sentinel}']",
        f"cos\nsystem\n(S'touch {sentinel}'\ntR.", f"{{% import os %}}{MARK}", f"'; DROP TABLE golds; -- {MARK}",
        f"<script>{MARK}</script>", f"\x80\x04\x95{MARK}.",
    ]  # fmt: skip


@family("sympy injection")
def _sympy(sentinel: Path) -> list[str]:
    payload = f"__import__('os').system('touch {sentinel}')"
    return [
        "S", "S(5)", "Symbol('x')", "Symbol", "lambda", "lambda x: x", "Integer(5)", "N", "O", "Q", "I*I", "E",
        "Eq(1,1)", "Lambda(x, x)", "symbols('x y z')", "sympify('5')", "parse_expr('5')", f"sympify(\"{payload}\")",
        f"S(\"{payload}\")", f"parse_expr(\"{payload}\")", f"\\mathrm{{S}}(\"{payload}\")", f"x_{{{payload}}}",
        f"\\operatorname{{sympify}}(\"{payload}\")", f"\\mathit{{{payload}}}", f"\\log_{{{payload}}} 2",
        f"\\sqrt[{payload}]{{2}}", f"\\begin{{{payload}}}5\\end{{{payload}}}",
        f"\\mathrm{{lambdify}}(x, \"{payload}\")", "srepr(x)", "Function('f')(x)", "Matrix([[5]])", "oo", "-oo",
        "zoo", "pi.evalf(10**9)", "factorial(10**9)", "fibonacci(10**9)", "primorial(10**6)", "prime(10**9)",
        "S.Naturals", "S.Reals", "EmptySet", "Union()", "ConditionSet(x, True)", "FiniteSet(5)", "Range(10**100)",
        "isprime(2**9999-1)", "factorint(10**99+7)", "Interval(-oo, oo)", "Tuple()", "Wild('w')", "Dummy()",
        "Poly(x)", r"\operatorname{Symbol}(x)", r"S\left(5\right)", r"\lambda x", r"\mathbb{S}(7)", r"x\_\_class\_\_",
        "x.__class__.__mro__", "x.free_symbols", "Basic.__subclasses__()", "CRootOf(x**99-x-1, 0)",
        "RootSum(x**9+1, Lambda(x, x))", "nsolve(x**99, 1)", "solve(x**99-x-1)", "integrate(x**x, x)", "gcd(0,0)",
        "Rational(1,0)", "Float('1e9999999')",
    ]  # fmt: skip


@family("LaTeX macros")
def _macros(sentinel: Path) -> list[str]:
    return [
        rf"\input{{{sentinel}}}", r"\input{/etc/passwd}", r"\include{/dev/zero}", rf"\write18{{touch {sentinel}}}",
        rf"\immediate\write18{{touch {sentinel}}}", r"\def\x{\x\x}\x", r"\loop\iftrue\repeat",
        r"\newcommand{\a}{\a\a}\a", r"\def\a{7}\a", r"\let\x=\boxed \x{7}", rf"\openout5={sentinel}", r"\read5 to\x",
        r"\csname end\endcsname", r"\expandafter\x", r"\catcode`\{=12", r"\end{document}", r"\usepackage{verbatim}",
        r"\verb|5|7", r"\iffalse 5 \fi 7", r"\href{javascript:7}{7}", r"\url{file:///dev/random}", r"\special{7}",
        r"\char55\char56", r"\symbol{55}", r"^^37^^38", r"\phantom{5}7", r"\color{white}7",
        r"\renewcommand{\boxed}[1]{5}", r"\begin{comment}5\end{comment}7", r"%5", "7%\n8", r"\unknowncommand",
        r"\unknown{7}[8]{9}", r"\mathchoice{7}{7}{7}{7}", r"\rule{99cm}{99cm}", r"\includegraphics{7}", r"\label{7}",
        r"\ref{7}", r"\footnote{7}", r"\cancel{5}7", r"\xcancel{5}", r"\require{7}", r"\DeclareMathOperator{\e}{7}",
        r"\directlua{os.exit()}", r"\endinput", r"\@for\x:=7\do{}",
    ]  # fmt: skip


@family("matches anything")
def _anything(_: Path) -> list[str]:
    return [
        r"\{" + ",".join(str(k) for k in range(-80, 81)) + r"\}", ", ".join(str(k) for k in range(-80, 81)),
        " or ".join(str(k) for k in range(-80, 81)), r"\mathbb{R}", r"\mathbb{Z}", r"\mathbb{C}", r"\emptyset",
        r"\varnothing", r"\{\}", r"()", r"[]", r"(-\infty,\infty)", r"x = x", r"1 = 1", r"7 = 7", r"5 = 6",
        r"x \in \mathbb{R}", r"\text{any real number}", r"\text{all of the above}", r"\text{the correct answer}",
        r"\text{gold}", "*", ".*", "_", "?", "???", r"\ldots", "...", r"\cdots", r"\square",
        r"\text{5 or } \frac{3}{4}", r"5 \neq 5", r"5 \pm 1", r"\pm 5", r"5 \ldots 6", r"\approx 7", r"\sim 7",
        r"5, \frac{3}{4}, x^2+4x+9", r"5 \to 6", r"4 < x < 6", r"x \ge 0", r"x \neq 3.5", r"5 \lor 6", r"5 \land 7",
        r"\lnot 5", r"\top", r"\bot", r"\forall x", "A5", "5A", "5:6", "5;6", r"5 \mid 6", r"5 \quad 6", r"5\\6",
        "5\n6", r"5 \& 6", "5&6", "5#6", "5@6", "5?6", "5~6", r"5\ 6", "5'", r"5 \text{ but not } 5",
        r"\text{not } 5", r"5^{\text{th}} \text{ or } 6", r"\text{Evelyn or Carla}", r"\text{not Evelyn}",
        r"\text{Evelyn}\text{Carla}", "x", "y", "x^2", "a+b", "c", "n", r"\theta", r"\alpha", r"f(x)", r"\text{E}",
        r"4343_7", r"2", "-1", r"10", r"58", "500", r"\sqrt 6", r"10 \text{ or } \sqrt 6", r"\infty", r"-\infty", "i",
        "e",
    ]  # fmt: skip


@family("empty and unclosed")
def _unclosed(_: Path) -> list[str]:
    return [
        "", " ", "\n", "\t\t", "$", "$$", "{}", "{ }", r"\text{}", r"\text{ }", r"\left(\right)", r"\,", r"\!", "~",
        ".", ",", "-", "+", "=", "/", r"\frac", r"\frac{", r"\frac{3", r"\frac{3}{", r"\frac{3}", r"\frac{}{}",
        r"\frac{3}{}", r"\sqrt", r"\sqrt{", r"\sqrt[", r"\sqrt[3]", r"\text{", r"\text", r"\left(", r"\right)",
        r"\left( 2, -\frac{13}{8}", r"2, -\frac{13}{8} \right)", r"\begin{pmatrix}", r"\end{pmatrix}",
        r"\begin{pmatrix} 7 \\ 5", r"\begin", "\\", r"\\", "x^", "x_", "^2", "_2", "(", ")", "[", "]", r"\{", r"\}",
        "|", "7 +", "* 7", "7 ^", r"7 \cdot", r"\cdot", r"\boxed", r"\boxed{", r"\boxed{}", r"\boxed{\boxed{",
        r"\{1,2,", "1,2,4\\}", "(1,", ",,,", "(,)", r"\circ", r"^\circ", r"\%", "%", r"\$", r"\text{cm}", r"\mathrm{",
        r"\cup", r"(-\infty,3)\cup", r"4344_", r"_6", r"\tau_", "7_", "y =", "= 7", "y = = 7",
    ]  # fmt: skip


@family("mixed languages")
def _languages(_: Path) -> list[str]:
    return [
        "答案是七", "ответ: семь", "الجواب سبعة", "答えは７です", "정답은 7", "η απάντηση", "תשובה 7", "คำตอบคือ 7",
        r"\text{答案是 }7", r"7\text{ 平方米}", "七分之三", "x等于七", "семь", r"\frac{семь}{три}", "7，8",
        "（7，8）", "７＋８", "7。", "７．８", "½７", "«7»", "「7」", "∞∞", "ⅷ分之三",
        r"\begin{pmatrix} 七 \\ 八 \end{pmatrix}", "Эвелин", "伊夫琳", "Еvelyn", "Εvelyn", "х^2+4х+9", "x²＋4x＋8",
        "10√７", "５．１", "４３４４", r"\sqrt{六}", "🎉7🎉", "𝐄𝐯𝐞𝐥𝐲", "ｘ^2", "(2,−13÷8)", "٤٣٤٣_٧",
        "〈7,8〉", "【7】", "7\N{HALFWIDTH KATAKANA LETTER A}", "π²", "ππ", "２πｒ", "7π",
    ]  # fmt: skip


def responses(answer: str) -> list[str]:
    """Whole responses around one answer, some ordinary and some strange."""
    box = r"\boxed{"
    return [
        f"Thus the answer is ${box}{answer}}}$.",
        f"{answer}\n{box}7777}}",
        f"{box}7777}} {box}{answer}}}",
        f"{box}{answer}",
        f"{box}{{{answer}}}" * 3,
    ]
