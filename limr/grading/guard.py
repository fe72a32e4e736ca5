r"""The static guard: refuses, by its text alone, an answer that computer algebra should not read.

An answer passes when it is short, not deeply nested, and made of known commands and plain characters. It must have no
towers of powers, no stacked factorials and no huge numbers. So the guard refuses answers that would exceed the limits
of the worker processes. Its closed list of commands defines what computer algebra may read. It refuses no gold answer
of MATH, AIME or AMC.
"""

import re

LONGEST = 400
DEEPEST = 25
MOST_DIGITS = 60
MOST_EXPONENT_DIGITS = 4
MOST_POWERS = 40

_GREEK = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho sigma tau "
    "upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
)
_FUNCTIONS = "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln exp min max gcd lcm"
_SIGNS = "frac sqrt binom cdot div pm mp pi infty le ge ne approx in cup cap setminus circ emptyset langle rangle equiv"
_OTHERS = "text mathbb overline vec angle triangle ell prime lfloor rfloor lceil rceil ldots imath"
_COMMANDS = {f"\\{name}" for name in f"{_GREEK} {_FUNCTIONS} {_SIGNS} {_OTHERS}".split()}
_COMMANDS |= {"\\{", "\\}", "\\\\", "\\$"}
_ENVIRONMENTS = {f"\\{edge}{{{name}matrix}}" for edge in ("begin", "end") for name in ("p", "v")}
_CHARACTERS = set("0123456789+-/^_=<>(){}[]|!.,:;&%' ") | {chr(code) for code in range(ord("a"), ord("z") + 1)}
_CHARACTERS |= {character.upper() for character in _CHARACTERS}
_OPENERS, _CLOSERS = {"{", "(", "[", "\\{"}, {"}", ")", "]", "\\}"}
_TOKEN = re.compile(r"\\(?:begin|end)\{[A-Za-z]+\*?\}|\\[A-Za-z]+|\\[\s\S]|[0-9]+|[\s\S]")
_ASCII_DIGITS = frozenset("0123456789")
_BINOMIAL = re.compile(r"\\binom\{(?:[0-9]{1,4}|[a-z])\}\{(?:[0-9]{1,4}|[a-z])\}")


def refusal(answer: str) -> str | None:
    r"""Why the ``answer``, in normal form, is refused; None if it passes.

    >>> refusal(r"\frac{\sqrt{3}}{2}"), refusal("e^{x^{2}}")
    (None, None)
    >>> refusal("9^{9^{9}}"), refusal("(5!)!"), refusal(r"\input{x}")
    ('a tower of powers', 'a factorial of more than a number or a letter', 'an unknown command')
    """
    if len(answer) > LONGEST:
        return f"longer than {LONGEST} characters"
    tokens = _TOKEN.findall(answer)
    for reason in map(_refused_token, tokens, ["", *tokens]):
        if reason:
            return reason
    if tokens.count("^") > MOST_POWERS:
        return f"more than {MOST_POWERS} powers"
    return _refused_nesting(tokens) or _refused_binomial(answer)


def is_too_deep(text: str) -> bool:
    """Whether brackets are nested more deeply than recursion should follow. This is the only check of a gold.

    >>> is_too_deep("(" * 25), is_too_deep("(" * 26)
    (False, True)
    """
    depth = 0
    for token in _TOKEN.findall(text):
        depth += (token in _OPENERS) - (token in _CLOSERS)
        if depth > DEEPEST:
            return True
    return False


def _refused_token(token: str, before: str) -> str | None:
    if token[0] == "\\":
        return None if token in _COMMANDS or token in _ENVIRONMENTS else "an unknown command"
    if token[0] in _ASCII_DIGITS:
        return f"more than {MOST_DIGITS} digits in a row" if len(token) > MOST_DIGITS else None
    if token == "!" and not (before.isascii() and before.isalnum()):
        return "a factorial of more than a number or a letter"
    if token == "!" and len(before) > MOST_EXPONENT_DIGITS:
        return f"a factorial of more than {MOST_EXPONENT_DIGITS} digits"
    return None if token in _CHARACTERS else "a character that no answer needs"


def _refused_nesting(tokens: list[str]) -> str | None:
    depth, exponents = 0, []  # for each open exponent: the depth of its bracket
    for position, token in enumerate(tokens):
        if token in _OPENERS:
            depth += 1
            if token == "{" and tokens[position - 1 : position] == ["^"]:
                exponents.append(depth)
                if len(exponents) > 2 or (len(exponents) == 2 and not tokens[position - 2].isalpha()):
                    return "a tower of powers"
        elif token in _CLOSERS:
            if exponents and exponents[-1] == depth and token == "}":
                exponents.pop()
            depth -= 1
        elif (
            exponents
            and token[0] in _ASCII_DIGITS
            and len(token) > (MOST_EXPONENT_DIGITS if len(exponents) == 1 else 1)
        ):
            return "an exponent with too many digits"
        if depth > DEEPEST:
            return f"brackets nested more than {DEEPEST} deep"
    return None


def _refused_binomial(answer: str) -> str | None:
    if answer.count("\\binom") > len(_BINOMIAL.findall(answer)):
        return "a binomial coefficient of more than numbers and letters"
    return None
